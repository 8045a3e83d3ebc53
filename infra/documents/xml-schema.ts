import { FIELD_DESCRIPTIONS } from '../../shared/domain/field-descriptions.ts';
import { FIELDS, type Field } from '../../shared/domain/fields.ts';

type AnyField = (typeof FIELDS)[number];

/** The XML Schema (XSD 1.0) of an exported XML file. */
export function xmlSchema(): string {
  const lengths = [...new Set(FIELDS.map(({ maxLength }) => maxLength).filter(Boolean))];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- Made by npm run generate from the table of fields; do not edit. -->
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="customers">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="customer" type="customer" minOccurs="0" maxOccurs="unbounded"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>

  <xs:complexType name="customer">
    <xs:sequence>
${FIELDS.map((field) => `      ${element(field)}`).join('\n')}
    </xs:sequence>
  </xs:complexType>

${lengths.map(textType).join('')}</xs:schema>
`;
}

function element(field: AnyField): string {
  const occurrence = field.always ? '' : ' minOccurs="0"';
  const { description } = FIELD_DESCRIPTIONS[field.name];
  return `<xs:element name="${field.name}" type="${typeOf(field)}"${occurrence}>
        <xs:annotation><xs:documentation>${description}</xs:documentation></xs:annotation>
      </xs:element>`;
}

function typeOf({ name, type, maxLength }: Field): string {
  if (type === 'string') return `text${maxLength}`;
  if (type === 'date') return 'xs:dateTime';
  return name === 'mexcParamvaluesetsid' ? 'xs:positiveInteger' : 'xs:nonNegativeInteger';
}

function textType(maxLength: number): string {
  return `
  <xs:simpleType name="text${maxLength}">
    <xs:restriction base="xs:string">
      <xs:maxLength value="${maxLength}"/>
    </xs:restriction>
  </xs:simpleType>
`;
}
