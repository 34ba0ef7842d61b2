import { Aws } from 'aws-cdk-lib';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import type { Construct } from 'constructs';

type HiveType = 'string' | 'boolean' | 'bigint' | 'double' | 'array<string>';

/** The columns of the calls table that docs/calls.md explains, as Athena has to know them. */
const columns: readonly (readonly [type: HiveType, names: readonly string[]])[] = [
  ['string', ['time', 'model', 'model_group', 'provider']],
  ['string', ['user_id', 'team_id', 'team_alias', 'key_alias', 'org_id', 'end_user']],
  ['string', ['status', 'error_type', 'error_class', 'call_type']],
  ['boolean', ['stream']],
  ['double', ['latency_ms', 'time_to_first_token_ms']],
  ['bigint', ['prompt_tokens', 'completion_tokens', 'total_tokens']],
  ['bigint', ['cache_read_input_tokens', 'cache_creation_input_tokens', 'reasoning_tokens']],
  ['double', ['cost_usd', 'input_cost_usd', 'output_cost_usd', 'saved_cost_usd']],
  ['boolean', ['cache_hit']],
  ['string', ['service_tier']],
  ['bigint', ['retries']],
  ['string', ['request_id', 'response_id', 'session_id', 'litellm_trace_id']],
  ['string', ['run_id', 'trace_id', 'record_id']],
  ['double', ['sample_rate']],
  ['array<string>', ['request_tags']],
];

/**
 * A database with the table `litellm_calls` over the archive. Partitions are worked out from their
 * names (projection), so nothing has to look for new ones.
 *
 * @param archiveUri `s3://BUCKET/FOLDER`, as `archive.uri` has it.
 * @returns The table's name with its database, as SQL has it.
 */
export function makeCallsTable(scope: Construct, name: string, archiveUri: string): string {
  const databaseName = name.toLowerCase().replaceAll('-', '_');
  const database = new CfnDatabase(scope, 'Database', {
    catalogId: Aws.ACCOUNT_ID,
    databaseInput: { name: databaseName, description: 'The calls of a LiteLLM Proxy' },
  });
  new CfnTable(scope, 'CallsTable', {
    catalogId: Aws.ACCOUNT_ID,
    databaseName: database.ref,
    tableInput: {
      name: 'litellm_calls',
      tableType: 'EXTERNAL_TABLE',
      partitionKeys: [
        { name: 'dt', type: 'string' },
        { name: 'hour', type: 'int' },
      ],
      parameters: {
        classification: 'json',
        'projection.enabled': 'true',
        'projection.dt.type': 'date',
        'projection.dt.format': 'yyyy-MM-dd',
        'projection.dt.range': '2026-01-01,NOW',
        'projection.hour.type': 'integer',
        'projection.hour.range': '0,23',
        'projection.hour.digits': '2',
        // Athena's own placeholders.
        'storage.location.template': `${archiveUri}/dt=\${dt}/hour=\${hour}/`,
      },
      storageDescriptor: {
        location: `${archiveUri}/`,
        columns: columns.flatMap(([type, names]) =>
          names.map((column) => ({ name: column, type })),
        ),
        inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
        outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
        serdeInfo: { serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
      },
    },
  });
  return `${databaseName}.litellm_calls`;
}
