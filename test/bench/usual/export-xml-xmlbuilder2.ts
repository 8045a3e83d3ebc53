import { create } from 'xmlbuilder2';
import { usualXmlExport } from './export-xml.ts';

export const handler = usualXmlExport((customer) => create({ customer }).end({ headless: true }));
