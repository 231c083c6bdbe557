// SPDX-License-Identifier: Apache-2.0
#include "js_encode.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include <memory>
#include <system_error>
#include <thread>

#include "encode_segment.h"

namespace aftertrace {
namespace {

// As src/model/columns.ts names them.
ColumnType columnType(const std::string &name) {
  if (name == "uint8") return ColumnType::uint8;
  if (name == "uint16") return ColumnType::uint16;
  if (name == "uint32") return ColumnType::uint32;
  if (name == "uint64") return ColumnType::uint64;
  if (name == "int64") return ColumnType::int64;
  if (name == "text") return ColumnType::text;
  if (name == "binary") return ColumnType::binary;
  throw std::runtime_error("a segment has no columns of type " + name);
}

Encoding encoding(const std::string &name) {
  if (name == "delta") return Encoding::delta;
  return name == "plain" ? Encoding::plain : Encoding::dictionary;
}

std::string text(Napi::Object object, const char *key) {
  return object.Get(key).As<Napi::String>().Utf8Value();
}

int number(Napi::Object object, const char *key) {
  return object.Get(key).As<Napi::Number>().Int32Value();
}

template <typename Each>
void forEach(Napi::Object object, const char *key, Each each) {
  const Napi::Array array = object.Get(key).As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) each(array.Get(i));
}

std::optional<Envelope> envelope(Napi::Value value) {
  if (!value.IsObject()) return std::nullopt;
  const auto object = value.As<Napi::Object>();
  const auto header = object.Get("header").As<Napi::Uint8Array>();
  const auto key = object.Get("key").As<Napi::Uint8Array>();
  Envelope made{Bytes(header.Data(), header.Data() + header.ByteLength()), {}};
  if (key.ByteLength() != made.key.size()) throw std::runtime_error("a key has 32 bytes");
  std::memcpy(made.key.data(), key.Data(), made.key.size());
  return made;
}

EncodeOptions readOptions(Napi::Object object) {
  EncodeOptions options;
  options.input = number(object, "input");
  options.output = number(object, "output");
  options.inputEnvelope = envelope(object.Get("inputEnvelope"));
  options.outputEnvelope = envelope(object.Get("outputEnvelope"));
  options.dataStart = static_cast<uint64_t>(object.Get("dataStart").As<Napi::Number>().Int64Value());
  options.createdBy = text(object, "createdBy");
  forEach(object, "inputTypes", [&](Napi::Value type) {
    options.inputTypes.push_back(columnType(type.As<Napi::String>().Utf8Value()));
  });
  forEach(object, "columns", [&](Napi::Value value) {
    const auto column = value.As<Napi::Object>();
    options.columns.push_back({text(column, "name"), columnType(text(column, "type")),
                               encoding(text(column, "encoding")),
                               column.Get("nullable").As<Napi::Boolean>().Value(),
                               number(column, "source")});
  });
  forEach(object, "metadata", [&](Napi::Value value) {
    const auto pair = value.As<Napi::Array>();
    options.metadata.emplace_back(pair.Get(0u).As<Napi::String>().Utf8Value(),
                                  pair.Get(1u).As<Napi::String>().Utf8Value());
  });
  return options;
}

// What went wrong, for src/store/convert.ts: which of the two files, and the name of the errno if any.
struct Failure {
  std::string message;
  std::string file;
  std::string code;
};

class Job {
 public:
  Job(Napi::Env env, EncodeOptions options)
      : options_(std::move(options)), deferred_(Napi::Promise::Deferred::New(env)) {
    deliver_ = Napi::ThreadSafeFunction::New(
        env, Napi::Function::New(env, [](const Napi::CallbackInfo &) {}), "aftertrace encode", 0, 1);
  }

  Napi::Promise promise() const { return deferred_.Promise(); }

  // Frees itself when the promise is settled, or with the environment.
  void start(Napi::Env env) {
    napi_add_env_cleanup_hook(env, onTearDown, this);
    // Signals belong to Node's threads: a new thread inherits the mask.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), "aftertrace-pack");
  }

 private:
  // On Linux priority belongs to the thread, and 0 is the calling one. It may be refused.
  static constexpr int kLowPriority = 10;

  // Bytes that the allocator keeps when they are freed, and from which it maps a block by itself: while a
  // segment is encoded, and else (the default of the C library).
  static constexpr int kFreedKept = 32 << 20;
  static constexpr int kFreedUsually = 128 << 10;

  static void keepFreed(int bytes) {
    mallopt(M_TRIM_THRESHOLD, bytes);
    mallopt(M_MMAP_THRESHOLD, bytes);
  }

  void run() {
    setpriority(PRIO_PROCESS, 0, kLowPriority);
    // From column to column memory is kept: to map it anew took an eighth of the time.
    keepFreed(kFreedKept);
    try {
      result_ = encodeSegment(options_, cancelled_);
    } catch (const IoError &error) {
      const char *code = strerrorname_np(error.error);
      failure_ = {error.what(), error.which == IoError::input ? "input" : "output", code ? code : ""};
    } catch (const DamagedSegment &error) {
      failure_ = {error.what(), "input", ""};
    } catch (const std::exception &error) {
      failure_ = {error.what(), "output", ""};
    }
    // What the encoding took goes back to the system: the next segment may be a minute away.
    keepFreed(kFreedUsually);
    malloc_trim(0);
    deliver_.NonBlockingCall([this](Napi::Env env, Napi::Function) { settle(env); });
  }

  void settle(Napi::Env env) {
    napi_remove_env_cleanup_hook(env, onTearDown, this);
    thread_.join();
    if (failure_) {
      const Napi::Error error = Napi::Error::New(env, failure_->message);
      error.Set("file", Napi::String::New(env, failure_->file));
      error.Set("code", Napi::String::New(env, failure_->code));
      deferred_.Reject(error.Value());
    } else {
      Napi::Object result = Napi::Object::New(env);
      result.Set("rows", Napi::Number::New(env, static_cast<double>(result_.rows)));
      result.Set("bytes", Napi::Number::New(env, static_cast<double>(result_.bytes)));
      result.Set("tornBytes", Napi::Number::New(env, static_cast<double>(result_.tornBytes)));
      result.Set("sha256", Napi::Buffer<uint8_t>::Copy(env, result_.sha256.data(), result_.sha256.size()));
      deferred_.Resolve(result);
    }
    deliver_.Release();
    delete this;
  }

  // The environment ends with the thread at work: it stops at the next column.
  static void onTearDown(void *self) {
    Job *job = static_cast<Job *>(self);
    job->cancelled_ = true;
    job->thread_.join();
    job->deliver_.Release();
    delete job;
  }

  const EncodeOptions options_;
  const Napi::Promise::Deferred deferred_;
  Napi::ThreadSafeFunction deliver_;
  std::thread thread_;
  std::atomic<bool> cancelled_{false};
  EncodeResult result_;
  std::optional<Failure> failure_;
};

}  // namespace

Napi::Value encodeSegmentAsync(const Napi::CallbackInfo &call) {
  const Napi::Env env = call.Env();
  try {
    auto job = std::make_unique<Job>(env, readOptions(call[0].As<Napi::Object>()));
    job->start(env);
    return job.release()->promise();
  } catch (const std::exception &error) {
    throw Napi::Error::New(env, error.what());
  }
}

}  // namespace aftertrace
