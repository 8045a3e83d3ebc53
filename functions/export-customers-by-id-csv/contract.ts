import { exportByIdsContract, exportRequests } from '../export-contracts.ts';

export const request = exportRequests.csvByIds;

export const contract = () => exportByIdsContract('CSV');
