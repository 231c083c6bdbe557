// SPDX-License-Identifier: Apache-2.0
#include "recognise_kafka.h"

namespace aftertrace {
namespace {

// By api_key. https://kafka.apache.org/protocol#protocol_api_keys
constexpr std::string_view kApis[] = {
    "Produce",      "Fetch",          "ListOffsets",    "Metadata",        "LeaderAndIsr",
    "StopReplica",  "UpdateMetadata", "ControlledShutdown", "OffsetCommit", "OffsetFetch",
    "FindCoordinator", "JoinGroup",   "Heartbeat",      "LeaveGroup",      "SyncGroup",
    "DescribeGroups", "ListGroups",   "SaslHandshake",  "ApiVersions",     "CreateTopics",
    "DeleteTopics", "DeleteRecords",  "InitProducerId", "OffsetForLeaderEpoch", "AddPartitionsToTxn",
    "AddOffsetsToTxn", "EndTxn",
};
constexpr uint32_t kProduce = 0;
constexpr uint32_t kFetch = 1;
constexpr uint32_t kLatestVersion = 20;

bool isNameByte(char character) {
  return isLetter(character) || (character >= '0' && character <= '9') || character == '.' ||
         character == '_' || character == '-';
}

// A string with a length of two bytes whose characters a topic may have; '' where it is not whole.
std::string_view nameAt(const TurnReader &reader, std::size_t at) {
  const uint32_t length = reader.big16(at);
  if (length == 0 || length > 249 || !reader.has(at + 2, length)) return {};
  const std::string_view name = reader.text(at + 2, length);
  return std::all_of(name.begin(), name.end(), isNameByte) ? name : std::string_view();
}

// Where the number of topics stands, 0 where this version has another form.
std::size_t topicsAt(const TurnReader &reader, uint32_t api, uint32_t version, std::size_t body) {
  if (api == kProduce && version <= 8) {
    if (version < 3) return body + 6;
    const uint32_t transaction = reader.big16(body);
    return body + 2 + (transaction == 0xffff ? 0 : transaction) + 6;
  }
  if (api == kFetch && version <= 11) {
    return body + 12 + (version >= 3 ? 4 : 0) + (version >= 4 ? 1 : 0) + (version >= 7 ? 8 : 0);
  }
  return 0;
}

}  // namespace

bool recogniseKafka(const TurnReader &reader, std::size_t moved, std::string &operation) {
  if (!reader.has(0, 14)) return false;
  const uint32_t api = reader.big16(4);
  const uint32_t version = reader.big16(6);
  const uint32_t client = reader.big16(12);
  if (reader.big32(0) + std::size_t{4} != moved || api >= std::size(kApis) ||
      version > kLatestVersion) {
    return false;
  }
  const bool named = client != 0xffff && client > 0;
  if (named && (client > 249 || !reader.has(14, client))) return false;
  const std::string_view id = named ? reader.text(14, client) : std::string_view();
  if (!std::all_of(id.begin(), id.end(), [](char c) { return c >= ' ' && c <= '~'; })) return false;
  operation = kApis[api];
  const std::size_t topics = topicsAt(reader, api, version, 14 + (named ? client : 0));
  if (topics != 0 && reader.has(topics, 6) && reader.big32(topics) > 0) {
    const std::string_view topic = nameAt(reader, topics + 4);
    if (!topic.empty()) operation.append(" ").append(topic);
  }
  return true;
}

}  // namespace aftertrace
