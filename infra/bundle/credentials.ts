/**
 * Where a function's SDK has its credentials from: Lambda puts them into the environment. The
 * default provider knows eight more sources, which never come to use there.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
