/**
 * Replaces the SDK's endpoint discovery, which DynamoDB's client disables unless an environment
 * variable enables it, and which brings a cache and its packages.
 */
export const resolveEndpointDiscoveryConfig = <T>(config: T): T => config;

/** Options of a discovery that is disabled. */
export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {
  environmentVariableSelector: () => false,
  configFileSelector: () => undefined,
  default: false,
};
