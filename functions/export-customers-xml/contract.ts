import { exportRequests, filteredExportContract } from '../export-contracts.ts';

export const request = exportRequests.xml;

export const contract = () => filteredExportContract('XML');
