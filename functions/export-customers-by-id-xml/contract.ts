import { exportByIdsContract, exportRequests } from '../export-contracts.ts';

export const request = exportRequests.xmlByIds;

export const contract = () => exportByIdsContract('XML');
