/**
 * Node options of functions that write exports. Their garbage is pages of a megabyte, whose memory is
 * freed when the young generation is collected. With a small young generation that happens often, so
 * that memory does not grow with the length of an export.
 */
export const EXPORT_NODE_OPTIONS = '--max-semi-space-size=4';
