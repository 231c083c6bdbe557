// SPDX-License-Identifier: Apache-2.0
#include "layout.h"

#include <cstddef>

#include "batch.h"
#include "events.h"

namespace aftertrace {
namespace {

void setNumber(Napi::Object object, const char *name, std::size_t value) {
  object.Set(name, Napi::Number::New(object.Env(), static_cast<double>(value)));
}

Napi::Object constants(Napi::Env env) {
  Napi::Object object = Napi::Object::New(env);
#define CONSTANT(name) setNumber(object, #name, name)
  CONSTANT(EVENT_RECEIVE);
  CONSTANT(EVENT_SEND);
  CONSTANT(EVENT_CONNECTION);
  CONSTANT(EVENT_CONNECT);
  CONSTANT(EVENT_ESTABLISHED);
  CONSTANT(EVENT_PEER_CLOSED);
  CONSTANT(EVENT_CLOSE);
  CONSTANT(EVENT_FORK);
  CONSTANT(EVENT_EXEC);
  CONSTANT(EVENT_EXIT);
  CONSTANT(EVENT_WAKE);
  CONSTANT(EVENT_LOOP);
  CONSTANT(EVENT_POST);
  CONSTANT(EVENT_FLAG_HEAD);
  CONSTANT(EVENT_FLAG_TRUNCATED);
  CONSTANT(EVENT_FLAG_PEEK);
  CONSTANT(EVENT_FLAG_UNREADABLE);
  CONSTANT(EVENT_FLAG_OPAQUE);
  CONSTANT(EVENT_FLAG_TLS);
  CONSTANT(EVENT_FLAG_TURN);
  CONSTANT(EVENT_FLAG_TOTAL);
  CONSTANT(EVENT_FLAG_SNAPSHOT);
  CONSTANT(EVENT_FLAG_PASSIVE);
  CONSTANT(EVENT_FLAG_ACTIVE);
  CONSTANT(EVENT_FLAG_UNIX);
  CONSTANT(EVENT_FLAG_DATAGRAM);
  CONSTANT(EVENT_FLAG_HINTS);
  CONSTANT(HINT_LEASE);
  CONSTANT(HINT_WAKES);
  CONSTANT(HINT_THREADS);
  CONSTANT(HINT_GO);
  CONSTANT(HINT_LOOP);
  CONSTANT(HINT_ASYNC);
  CONSTANT(HINT_POSTS);
  CONSTANT(HINT_EXECUTOR);
  CONSTANT(EVENT_NAME_LENGTH);
  CONSTANT(EVENT_PAYLOAD_MAX);
  CONSTANT(EVENT_TURN_MAX);
  CONSTANT(EVENT_PATH_LENGTH);
  CONSTANT(LOSS_RING_FULL);
  CONSTANT(LOSS_PAYLOAD_UNREADABLE);
  CONSTANT(LOSS_SOCKET_STATE);
  CONSTANT(LOSS_SAMPLED);
  CONSTANT(LOSS_TLS_UNJOINED);
  CONSTANT(LOSS_CAUSES);
#undef CONSTANT
  return object;
}

Napi::Object structs(Napi::Env env) {
  Napi::Object object = Napi::Object::New(env);
  Napi::Object fields;
  const auto begin = [&](const char *name, std::size_t size) {
    Napi::Object entry = Napi::Object::New(env);
    fields = Napi::Object::New(env);
    setNumber(entry, "size", size);
    entry.Set("fields", fields);
    object.Set(name, entry);
  };
#define STRUCT(name) begin(#name, sizeof(name))
#define FIELD(record, name) setNumber(fields, #name, offsetof(record, name))
  STRUCT(event_header);
  FIELD(event_header, time_ns);
  FIELD(event_header, connection);
  FIELD(event_header, tgid);
  FIELD(event_header, tid);
  FIELD(event_header, kind);
  FIELD(event_header, flags);
  FIELD(event_header, size);
  STRUCT(event_io);
  FIELD(event_io, sequence);
  FIELD(event_io, peer_sequence);
  FIELD(event_io, bytes);
  FIELD(event_io, offset);
  STRUCT(event_connection);
  FIELD(event_connection, local_address);
  FIELD(event_connection, remote_address);
  FIELD(event_connection, local_port);
  FIELD(event_connection, remote_port);
  FIELD(event_connection, netns);
  FIELD(event_connection, cgroup);
  FIELD(event_connection, sequence);
  FIELD(event_connection, peer_sequence);
  FIELD(event_connection, error);
  FIELD(event_connection, peer);
  STRUCT(event_unix);
  FIELD(event_unix, connection);
  FIELD(event_unix, local_length);
  FIELD(event_unix, remote_length);
  FIELD(event_unix, local_path);
  FIELD(event_unix, remote_path);
  STRUCT(event_hints);
  FIELD(event_hints, goroutine);
  FIELD(event_hints, caller);
  FIELD(event_hints, creator);
  FIELD(event_hints, slice);
  FIELD(event_hints, lease_tid);
  FIELD(event_hints, lease_age);
  STRUCT(event_wake);
  FIELD(event_wake, wakee);
  FIELD(event_wake, call);
  FIELD(event_wake, wait_call);
  FIELD(event_wake, wait_word);
  STRUCT(event_process);
  FIELD(event_process, parent);
  FIELD(event_process, parent_tgid);
  FIELD(event_process, name);
#undef FIELD
#undef STRUCT
  return object;
}

Napi::Array columns(Napi::Env env) {
  Napi::Array array = Napi::Array::New(env);
  const auto add = [&](const char *name, const char *type) {
    Napi::Object column = Napi::Object::New(env);
    column.Set("name", name);
    column.Set("type", type);
    array.Set(array.Length(), column);
  };
#define COLUMN(name, ctype, type) add(#name, type);
  AFTERTRACE_NUMBER_COLUMNS(COLUMN)
#undef COLUMN
#define COLUMN(name, type) add(#name, type);
  AFTERTRACE_BYTES_COLUMNS(COLUMN)
#undef COLUMN
  return array;
}

}  // namespace

Napi::Object layout(Napi::Env env) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("constants", constants(env));
  object.Set("structs", structs(env));
  object.Set("columns", columns(env));
  return object;
}

}  // namespace aftertrace
