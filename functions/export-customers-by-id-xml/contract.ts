import { XML_TYPE } from '../../shared/formats/xml.ts';
import { exportByIdsContract, exportByIdsRequest } from '../export-by-ids-contract.ts';

export const request = exportByIdsRequest({});

export const contract = () =>
  exportByIdsContract(request, {
    name: 'xml',
    title: 'XML',
    mediaType: XML_TYPE,
    options: {},
  });
