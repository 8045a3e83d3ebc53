/** Returns a construct id of a name with dashes: `GetCustomer` of `get-customer`. */
export function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
