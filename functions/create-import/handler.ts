import { api } from '../../shared/http/api.ts';
import { FileBody } from '../../shared/http/media-type.ts';
import { createImport, importSentFile } from '../../shared/imports/create-import.ts';
import { uploadRequest } from '../../shared/imports/upload-url.ts';
import { FILE_TYPES } from '../import-contracts.ts';
import { importResponse, prefersAsync } from '../import-responses.ts';
import { request } from './contract.ts';

/** POST /customers/imports: creates an import, and plans it if its file is the body. */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { body, queryStringParameters } = event;
  if (!(body instanceof FileBody)) {
    const { filename, bytes, sha256, ...options } = body;
    const job = await createImport(merchantId, options, { filename, bytes, sha256 });
    const upload = await uploadRequest(merchantId, job);
    return importResponse(job, { statusCode: 201, more: { upload } });
  }
  const { match = [], ...others } = queryStringParameters;
  const format = FILE_TYPES[body.type as keyof typeof FILE_TYPES];
  const job = await importSentFile(merchantId, { ...others, match, format }, body.bytes, {
    inBackground: prefersAsync(event),
  });
  return importResponse(job, { statusCode: 201 });
});
