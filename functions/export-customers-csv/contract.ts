import { exportRequests, filteredExportContract } from '../export-contracts.ts';

export const request = exportRequests.csv;

export const contract = () => filteredExportContract('CSV');
