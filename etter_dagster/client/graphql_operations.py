"""The platform's GraphQL operations, as `docs/graphql.md` shows them; a test holds both alike."""

from __future__ import annotations

LAUNCH_RUN = """
mutation LaunchRun($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message path } }
    ... on PipelineNotFoundError { message }
    ... on PythonError { className }
  }
}
"""

LAUNCH_BACKFILL = """
mutation LaunchBackfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PartitionKeysNotFoundError { message }
    ... on PythonError { className }
  }
}
"""

RUNS = """
query Runs($filter: RunsFilter!, $cursor: String, $limit: Int) {
  runsOrError(filter: $filter, cursor: $cursor, limit: $limit) {
    __typename
    ... on Runs {
      results { runId jobName status creationTime startTime endTime tags { key value } }
    }
    ... on PythonError { className }
  }
}
"""

WHY_FAILED = """
query WhyFailed($runId: ID!) {
  logsForRun(runId: $runId, limit: 1000) {
    __typename
    ... on EventConnection {
      events {
        ... on ExecutionStepFailureEvent {
          failureMetadata {
            metadataEntries {
              label
              ... on TextMetadataEntry { text }
              ... on IntMetadataEntry { intValue }
            }
          }
        }
      }
    }
    ... on PythonError { className }
  }
}
"""

BACKFILL = """
query Backfill($backfillId: String!) {
  partitionBackfillOrError(backfillId: $backfillId) {
    __typename
    ... on PartitionBackfill {
      id
      status
      title
      numPartitions
      timestamp
      endTimestamp
      runs(limit: 1000) { runId jobName status creationTime startTime endTime tags { key value } }
      assetBackfillData {
        assetBackfillStatuses {
          ... on AssetPartitionsStatusCounts {
            assetKey { path }
            numPartitionsTargeted
            numPartitionsInProgress
            numPartitionsMaterialized
            numPartitionsFailed
          }
        }
      }
    }
    ... on PythonError { className }
  }
}
"""

PARTITIONS = """
query Partitions($assets: [AssetKeyInput!]!, $partitions: [String!]!) {
  assetNodes(assetKeys: $assets) {
    assetKey { path }
    assetPartitionStatuses {
      ... on DefaultPartitionStatuses { failedPartitions materializingPartitions }
    }
    latestMaterializationByPartition(partitions: $partitions) { partition timestamp runId }
  }
}
"""

TERMINATE_RUNS = """
mutation TerminateRuns($runIds: [String!]!) {
  terminateRuns(runIds: $runIds) {
    __typename
    ... on TerminateRunsResult {
      terminateRunResults {
        __typename
        ... on TerminateRunSuccess { run { runId } }
        ... on TerminateRunFailure { run { runId } message }
        ... on PythonError { className }
      }
    }
    ... on PythonError { className }
  }
}
"""

CANCEL_BACKFILL = """
mutation CancelBackfill($backfillId: String!) {
  cancelPartitionBackfill(backfillId: $backfillId) {
    __typename
    ... on CancelBackfillSuccess { backfillId }
    ... on PythonError { className }
  }
}
"""
