import { XMLBuilder } from 'fast-xml-parser';
import { usualXmlExport } from './export-xml.ts';

const builder = new XMLBuilder({ suppressEmptyNode: true });

export const handler = usualXmlExport((customer) => builder.build({ customer }));
