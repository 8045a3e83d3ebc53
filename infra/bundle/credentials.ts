/**
 * Replaces the SDK's default credential provider, which tries eight more sources, by the environment:
 * Lambda sets the credentials there.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
