import {
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { CUSTOMER_INDEX, KEY, LOOK_UP_INDEXES, TTL_ATTRIBUTE } from '../shared/storage/table.ts';
import { removalPolicy } from './retention.ts';
import type { Settings } from './settings.ts';

export interface CustomerTableProps {
  readonly settings: Settings;
}

const PARTITION_KEY = { name: KEY.partition, type: AttributeType.STRING };
const SORT_KEY_TYPES = { S: AttributeType.STRING, B: AttributeType.BINARY } as const;

/**
 * DynamoDB table of all customers, in the layout of `shared/storage/table.ts`.
 *
 * @see shared/decisions/2026-11-25-table-construct.md
 */
export class CustomerTable extends TableV2 {
  constructor(scope: Construct, id: string, { settings }: CustomerTableProps) {
    super(scope, id, {
      partitionKey: PARTITION_KEY,
      sortKey: { name: KEY.sort, type: AttributeType.STRING },
      timeToLiveAttribute: TTL_ATTRIBUTE,
      globalSecondaryIndexes: [
        {
          indexName: CUSTOMER_INDEX.name,
          partitionKey: PARTITION_KEY,
          sortKey: { name: CUSTOMER_INDEX.sortKey, type: AttributeType.NUMBER },
          projectionType: ProjectionType.INCLUDE,
          nonKeyAttributes: [...CUSTOMER_INDEX.projected],
        },
        ...Object.values(LOOK_UP_INDEXES).map(({ name, sortKey, type }) => ({
          indexName: name,
          partitionKey: PARTITION_KEY,
          sortKey: { name: sortKey, type: SORT_KEY_TYPES[type] },
          projectionType: ProjectionType.KEYS_ONLY,
        })),
      ],
      dynamoStream: StreamViewType.KEYS_ONLY,
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: settings.protected,
      removalPolicy: removalPolicy(settings),
    });
  }
}
