// SPDX-License-Identifier: Apache-2.0
#include "batch.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace aftertrace {
namespace {

// IPv4-mapped addresses as IPv4, whatever family the socket has: one peer, one text.
void appendAddress(BytesColumn &column, const uint8_t (&address)[16]) {
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  char text[INET6_ADDRSTRLEN];
  const bool mapped = std::memcmp(address, kMapped, sizeof kMapped) == 0;
  const char *done = mapped ? inet_ntop(AF_INET, address + 12, text, sizeof text)
                            : inet_ntop(AF_INET6, address, text, sizeof text);
  if (done != nullptr) column.append(std::string_view(text));
}

// Smallest size of a record of this kind; 0 for kinds the kernel does not make.
std::size_t leastSize(uint16_t kind) {
  switch (kind) {
    case EVENT_RECEIVE:
    case EVENT_SEND:
      return sizeof(event_io);
    case EVENT_CONNECTION:
    case EVENT_CONNECT:
    case EVENT_ESTABLISHED:
    case EVENT_PEER_CLOSED:
    case EVENT_CLOSE:
      return sizeof(event_connection);
    case EVENT_WAKE:
    case EVENT_LOOP:
      return sizeof(event_wake);
    case EVENT_FORK:
    case EVENT_EXEC:
    case EVENT_EXIT:
      return sizeof(event_process);
    default:
      return 0;
  }
}

}  // namespace

Batch::Batch() {
#define COLUMN(name, type, label) name.resize(kRows);
  AFTERTRACE_NUMBER_COLUMNS(COLUMN)
#undef COLUMN
}

void Batch::clear() {
  // Rows are zeroed once here, so that each kind writes only the columns it has.
#define COLUMN(name, type, label) std::fill_n(name.begin(), rows_, type{0});
  AFTERTRACE_NUMBER_COLUMNS(COLUMN)
#undef COLUMN
#define COLUMN(name, label) name.clear();
  AFTERTRACE_BYTES_COLUMNS(COLUMN)
#undef COLUMN
  rows_ = 0;
  variableBytes_ = 0;
}

std::size_t Batch::memory() const {
  std::size_t perRow = 0;
#define COLUMN(name, type, label) perRow += sizeof(type);
  AFTERTRACE_NUMBER_COLUMNS(COLUMN)
#undef COLUMN
#define COLUMN(name, label) perRow += sizeof(int32_t);
  AFTERTRACE_BYTES_COLUMNS(COLUMN)
#undef COLUMN
  return rows_ * perRow + variableBytes_;
}

bool Batch::append(const event_header &record, std::size_t size, int64_t offset_ns) {
  if (size < sizeof record) return false;
  const std::size_t least = leastSize(record.kind);
  if (least == 0 || record.size < least || record.size > size) return false;

  // A record that says it has hints has room for them.
  const bool hinted = least == sizeof(event_io) && (record.flags & EVENT_FLAG_HINTS) != 0;
  if (hinted && record.size < least + sizeof(event_hints)) return false;

  const std::size_t row = rows_;
  time_ns[row] = static_cast<int64_t>(record.time_ns) + offset_ns;
  kind[row] = static_cast<uint8_t>(record.kind);
  flags[row] = record.flags;
  pid[row] = record.tgid;
  tid[row] = record.tid;
  connection[row] = record.connection;
  appendBody(record, row);
#define COLUMN(name, label) name.endRow();
  AFTERTRACE_BYTES_COLUMNS(COLUMN)
#undef COLUMN
  rows_ = row + 1;
  return true;
}

void Batch::appendBody(const event_header &record, std::size_t row) {
  switch (record.kind) {
    case EVENT_RECEIVE:
    case EVENT_SEND:
      return appendIo(reinterpret_cast<const event_io &>(record), row);
    case EVENT_WAKE:
    case EVENT_LOOP:
      return appendWake(reinterpret_cast<const event_wake &>(record), row);
    case EVENT_FORK:
    case EVENT_EXEC:
    case EVENT_EXIT:
      return appendProcess(reinterpret_cast<const event_process &>(record), row);
    default:
      return appendConnection(reinterpret_cast<const event_connection &>(record), row);
  }
}

void Batch::appendIo(const event_io &event, std::size_t row) {
  sequence[row] = event.sequence;
  peer_sequence[row] = event.peer_sequence;
  bytes[row] = event.bytes;
  count[row] = event.offset;
  const auto *rest = reinterpret_cast<const uint8_t *>(&event + 1);
  std::size_t kept = event.header.size - sizeof event;
  if ((event.header.flags & EVENT_FLAG_HINTS) != 0) {
    const auto &hints = reinterpret_cast<const event_hints &>(*rest);
    goroutine[row] = hints.goroutine;
    caller[row] = hints.caller;
    creator[row] = hints.creator;
    slice[row] = hints.slice;
    lease_tid[row] = hints.lease_tid;
    lease_age[row] = hints.lease_age;
    rest += sizeof hints;
    kept -= sizeof hints;
  }
  if (kept > 0) {
    payload.append(rest, kept);
    variableBytes_ += kept;
  }
}

void Batch::appendWake(const event_wake &event, std::size_t row) {
  wakee[row] = event.wakee;
  call[row] = event.call;
  wait_call[row] = event.wait_call;
  wait_word[row] = event.wait_word;
  count[row] = event.ready;
}

void Batch::appendConnection(const event_connection &event, std::size_t row) {
  sequence[row] = event.sequence;
  peer_sequence[row] = event.peer_sequence;
  error[row] = static_cast<uint16_t>(event.error);
  local_port[row] = event.local_port;
  remote_port[row] = event.remote_port;
  netns[row] = event.netns;
  cgroup[row] = event.cgroup;
  peer[row] = event.peer;
  const std::size_t before = local_address.data().size() + remote_address.data().size();
  appendAddress(local_address, event.local_address);
  appendAddress(remote_address, event.remote_address);
  variableBytes_ += local_address.data().size() + remote_address.data().size() - before;
}

void Batch::appendProcess(const event_process &event, std::size_t row) {
  parent[row] = event.parent;
  const std::size_t length = strnlen(event.name, sizeof event.name);
  name.append(event.name, length);
  variableBytes_ += length;
}

}  // namespace aftertrace
