// SPDX-License-Identifier: Apache-2.0
#include "batch.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace aftertrace {
namespace {

// IPv4-mapped addresses as IPv4, whatever family the socket has: one peer, one text.
void appendAddress(BytesColumn &column, std::size_t row, const uint8_t (&address)[16]) {
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  char text[INET6_ADDRSTRLEN];
  const bool mapped = std::memcmp(address, kMapped, sizeof kMapped) == 0;
  const char *done = mapped ? inet_ntop(AF_INET, address + 12, text, sizeof text)
                            : inet_ntop(AF_INET6, address, text, sizeof text);
  if (done != nullptr) column.append(row, std::string_view(text));
}

// `unix:/path`, `unix:@name` for abstract ones, `unix:` for a socket that is not bound. A path may
// hold any byte: what is not printable ASCII becomes '?'.
void appendPath(BytesColumn &column, std::size_t row, const char (&path)[EVENT_PATH_LENGTH], uint16_t length) {
  char text[EVENT_PATH_LENGTH];
  const std::size_t most = std::min<std::size_t>(length, sizeof path);
  const bool isAbstract = most > 0 && path[0] == 0;
  // Bound paths end with a NUL that is counted, abstract names may hold them.
  const std::size_t size = isAbstract ? most : strnlen(path, most);
  for (std::size_t i = 0; i < size; i++) {
    text[i] = path[i] >= ' ' && path[i] <= '~' ? path[i] : '?';
  }
  if (isAbstract) text[0] = '@';
  column.append(row, "unix:");
  column.append(row, std::string_view(text, size));
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
    case EVENT_POST:
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
  AFTERTRACE_DENSE_COLUMNS(COLUMN)
#undef COLUMN
  // Lest it grows to twice of what it needs. What is not used takes no memory.
  payload.reserve(kVariableBytes + EVENT_PAYLOAD_MAX);
}

void Batch::clear() {
  // Rows are zeroed once here, so that each kind writes only the columns it has.
#define COLUMN(name, type, label) std::fill_n(name.begin(), rows_, type{0});
  AFTERTRACE_DENSE_COLUMNS(COLUMN)
#undef COLUMN
#define COLUMN(name, type, label) name.clear(rows_);
  AFTERTRACE_SPARSE_COLUMNS(COLUMN)
#undef COLUMN
#define COLUMN(name, label) name.clear();
  AFTERTRACE_BYTES_COLUMNS(COLUMN)
#undef COLUMN
  rows_ = 0;
  variableBytes_ = 0;
}

std::size_t Batch::memory() const {
  std::size_t bytes = variableBytes_;
#define COLUMN(name, type, label) bytes += kRows * sizeof(type);
  AFTERTRACE_DENSE_COLUMNS(COLUMN)
#undef COLUMN
#define COLUMN(name, type, label) bytes += name.memory();
  AFTERTRACE_SPARSE_COLUMNS(COLUMN)
#undef COLUMN
#define COLUMN(name, label) bytes += name.offsets().size() * sizeof(int32_t);
  AFTERTRACE_BYTES_COLUMNS(COLUMN)
#undef COLUMN
  return bytes;
}

bool Batch::append(const event_header &record, std::size_t size, int64_t offset_ns,
                   std::string_view turn) {
  if (size < sizeof record) return false;
  const std::size_t least = leastSize(record.kind);
  if (least == 0 || record.size < least || record.size > size) return false;

  // A record that says it has paths or hints has room for them.
  if (record.kind == EVENT_CONNECTION && (record.flags & EVENT_FLAG_UNIX) != 0 &&
      record.size < sizeof(event_unix)) {
    return false;
  }
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
  if (!turn.empty()) {
    name.append(row, turn);
    variableBytes_ += turn.size();
  }
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
    case EVENT_POST:
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
  count.set(row, event.offset);
  const auto *rest = reinterpret_cast<const uint8_t *>(&event + 1);
  std::size_t kept = event.header.size - sizeof event;
  if ((event.header.flags & EVENT_FLAG_HINTS) != 0) {
    const auto &hints = reinterpret_cast<const event_hints &>(*rest);
    goroutine.set(row, hints.goroutine);
    caller.set(row, hints.caller);
    creator.set(row, hints.creator);
    slice.set(row, hints.slice);
    lease_tid.set(row, hints.lease_tid);
    lease_age.set(row, hints.lease_age);
    rest += sizeof hints;
    kept -= sizeof hints;
  }
  // The first bytes of a turn are for the recogniser only.
  if (kept > 0 && (event.header.flags & EVENT_FLAG_TURN) == 0) {
    payload.append(row, rest, kept);
    variableBytes_ += kept;
  }
}

void Batch::appendWake(const event_wake &event, std::size_t row) {
  wakee.set(row, event.wakee);
  call.set(row, event.call);
  wait_call.set(row, event.wait_call);
  wait_word.set(row, event.wait_word);
}

void Batch::appendConnection(const event_connection &event, std::size_t row) {
  sequence[row] = event.sequence;
  peer_sequence[row] = event.peer_sequence;
  error.set(row, static_cast<uint16_t>(event.error));
  local_port.set(row, event.local_port);
  remote_port.set(row, event.remote_port);
  netns.set(row, event.netns);
  cgroup.set(row, event.cgroup);
  peer.set(row, event.peer);
  const std::size_t before = local_address.data().size() + remote_address.data().size();
  if ((event.header.flags & EVENT_FLAG_UNIX) != 0 && event.header.kind == EVENT_CONNECTION) {
    const auto &paths = reinterpret_cast<const event_unix &>(event);
    appendPath(local_address, row, paths.local_path, paths.local_length);
    appendPath(remote_address, row, paths.remote_path, paths.remote_length);
  } else if (event.local_port != 0 || event.remote_port != 0) {
    appendAddress(local_address, row, event.local_address);
    appendAddress(remote_address, row, event.remote_address);
  }
  variableBytes_ += local_address.data().size() + remote_address.data().size() - before;
}

void Batch::appendProcess(const event_process &event, std::size_t row) {
  parent.set(row, event.parent);
  const std::size_t length = strnlen(event.name, sizeof event.name);
  name.append(row, event.name, length);
  variableBytes_ += length;
}

}  // namespace aftertrace
