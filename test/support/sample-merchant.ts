import { type Client, create, newMerchant } from './api.ts';

const PERSON_NUMBER = '19900118-9811';
export const COMPANY_NUMBER = '556703-7485';

/** One customer per type and per filter, with its `customerid` to recognise it by. */
const CUSTOMERS = [
  {
    name: 'Nisse Hult',
    customerid: 'K1',
    companyno: PERSON_NUMBER,
    address: 'Ågatan 1',
    postcode: '123 45',
  },
  { name: 'ÅKERS ÄPPELÖ AB', customerid: 'K2', companyno: COMPANY_NUMBER, reversetax: 'Ja' },
  { name: 'Okänd', customerid: 'K3', postoffice: 'Östersund', crediflowPartyId: 'p' },
  {
    name: 'Hult Nisse',
    customerid: 'K4',
    customertypecode: 'Company',
    crediflowPartyId: 'p',
    dontSendEFaktura: '1',
  },
  {
    name: 'Tom',
    customerid: 'K5',
    customertypecode: 'privat',
    companyno: COMPANY_NUMBER,
    reversetax: '0',
  },
];

/** Creates a merchant with the customers K1 to K5, in this order. */
export async function newSampleMerchant(): Promise<Client> {
  const merchant = await newMerchant();
  for (const customer of CUSTOMERS) await create(merchant, customer);
  return merchant;
}

/** Returns the `customerid` of each customer of a list, separated by spaces. */
export function customerIdsOf(body: readonly { readonly customerid: string }[]): string {
  return body.map(({ customerid }) => customerid).join(' ');
}
