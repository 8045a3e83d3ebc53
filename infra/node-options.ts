/**
 * Options of Node for functions that write exports: their garbage is pages of a megabyte, of which
 * little enough is there at a time for a small young generation, and whose memory comes free only
 * when that is collected. With it an export's memory stays the same however long it takes.
 */
export const EXPORT_NODE_OPTIONS = '--max-semi-space-size=4';
