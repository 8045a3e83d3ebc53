import { XML_TYPE } from '../../shared/formats/xml.ts';
import { exportByFilterContract, exportByFilterRequest } from '../export-by-filter-contract.ts';

export const request = exportByFilterRequest({});

export const contract = () =>
  exportByFilterContract(request, {
    name: 'xml',
    title: 'XML',
    mediaType: XML_TYPE,
    options: {},
  });
