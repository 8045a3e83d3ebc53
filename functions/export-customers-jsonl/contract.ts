import { JSON_LINES_TYPE } from '../../shared/formats/jsonl.ts';
import { exportByFilterContract, exportByFilterRequest } from '../export-by-filter-contract.ts';

export const request = exportByFilterRequest({});

export const contract = () =>
  exportByFilterContract(request, {
    name: 'jsonl',
    title: 'JSON Lines',
    mediaType: JSON_LINES_TYPE,
    options: {},
  });
