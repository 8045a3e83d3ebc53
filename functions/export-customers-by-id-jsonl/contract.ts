import { JSON_LINES_TYPE } from '../../shared/formats/jsonl.ts';
import { exportByIdsContract, exportByIdsRequest } from '../export-by-ids-contract.ts';

export const request = exportByIdsRequest({});

export const contract = () =>
  exportByIdsContract(request, {
    name: 'jsonl',
    title: 'JSON Lines',
    mediaType: JSON_LINES_TYPE,
    options: {},
  });
