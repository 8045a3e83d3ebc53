/**
 * In place of the SDK's endpoint discovery, which DynamoDB's clients have switched off unless an
 * environment variable asks for it, and which brings a cache and its packages along.
 */
export const resolveEndpointDiscoveryConfig = <T>(config: T): T => config;

/** Never switched on. */
export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {
  environmentVariableSelector: () => false,
  configFileSelector: () => undefined,
  default: false,
};
