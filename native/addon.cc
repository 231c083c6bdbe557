// SPDX-License-Identifier: Apache-2.0
// The surface towards JavaScript: class Source, functions layout, recognise, redact, encodeSegment, releaseMemory; see src/native/addon.ts.
#include <napi.h>
#include <time.h>

#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>

#include "drain.h"
#include "js_batch.h"
#include "js_go.h"
#include "js_recognise.h"
#include "js_redact.h"
#include "js_loop.h"
#include "js_tls.h"
#include "layout.h"
#include "memory.h"
#include "privilege.h"
#include "recorder.h"
#include "return_probe_check.h"
#include "segment/js_encode.h"

namespace aftertrace {
namespace {

int64_t nanoseconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

// Another clock minus the monotonic one. Of several tries the one with the least delay between its readings.
int64_t offsetOf(clockid_t clock) {
  int64_t least = std::numeric_limits<int64_t>::max();
  int64_t offset = 0;
  for (int i = 0; i < 16; i++) {
    const int64_t before = nanoseconds(CLOCK_MONOTONIC);
    const int64_t other = nanoseconds(clock);
    const int64_t after = nanoseconds(CLOCK_MONOTONIC);
    if (after - before < least) {
      least = after - before;
      offset = other - (before + (after - before) / 2);
    }
  }
  return offset;
}

// The monotonic clock now, and by how much the others are ahead of it.
Napi::Object clocks(Napi::Env env) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("wallOffsetNs", Napi::BigInt::New(env, offsetOf(CLOCK_REALTIME)));
  object.Set("bootOffsetNs", Napi::BigInt::New(env, offsetOf(CLOCK_BOOTTIME)));
  object.Set("monotonicNs", Napi::BigInt::New(env, nanoseconds(CLOCK_MONOTONIC)));
  return object;
}

Napi::Error toJs(Napi::Env env, const CaptureError &error) {
  Napi::Error js = Napi::Error::New(env, error.what());
  js.Set("code", Napi::String::New(env, error.code));
  js.Set("remedy", Napi::String::New(env, error.remedy));
  return js;
}

template <typename T, typename Read>
std::vector<T> list(Napi::Object options, const char *name, Read read) {
  const Napi::Array array = options.Get(name).As<Napi::Array>();
  std::vector<T> values;
  for (uint32_t i = 0; i < array.Length(); i++) values.push_back(read(array.Get(i)));
  return values;
}

// Nothing but these two names: the best there is.
std::optional<Capture> readCapture(Napi::Value name) {
  const std::string text = name.IsString() ? name.As<Napi::String>().Utf8Value() : "";
  if (text == "socket") return Capture::socket;
  if (text == "syscall") return Capture::syscall;
  return std::nullopt;
}

CaptureOptions readOptions(Napi::Object options) {
  const auto number = [](Napi::Value value) { return value.As<Napi::Number>().Uint32Value(); };
  CaptureOptions capture;
  capture.snaplen = number(options.Get("snaplen"));
  capture.ringBytes = static_cast<std::size_t>(options.Get("ringBytes").As<Napi::Number>().Int64Value());
  capture.hints = number(options.Get("hints"));
  capture.tls = options.Get("tls").ToBoolean();
  capture.capture = readCapture(options.Get("capture"));
  capture.ports = list<uint16_t>(options, "ports", number);
  capture.pids = list<uint32_t>(options, "pids", number);
  capture.names = list<std::string>(
      options, "names", [](Napi::Value value) { return value.As<Napi::String>().Utf8Value(); });
  capture.cgroups = list<uint64_t>(options, "cgroups", [](Napi::Value value) {
    bool lossless;
    return value.As<Napi::BigInt>().Uint64Value(&lossless);
  });
  return capture;
}

go_layout readGoLayout(Napi::Object offsets) {
  go_layout layout = {};
#define FIELD(name) layout.name = offsets.Get(#name).As<Napi::Number>().Int32Value()
  FIELD(tls);
  FIELD(g_m);
  FIELD(g_goid);
  FIELD(g_parent);
  FIELD(g_startpc);
  FIELD(m_curg);
  FIELD(m_p);
  FIELD(m_oldp);
  FIELD(p_id);
  FIELD(p_schedtick);
  FIELD(hchan_recvq);
  FIELD(sudog_g);
#undef FIELD
  return layout;
}

class Source : public Napi::ObjectWrap<Source> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Source",
                       {InstanceAccessor<&Source::info>("info"),
                        InstanceMethod<&Source::start>("start"),
                        InstanceMethod<&Source::stats>("stats"),
                        InstanceMethod<&Source::takeGaps>("takeGaps"),
                        InstanceMethod<&Source::throttle>("throttle"),
                        InstanceMethod<&Source::setHints>("setHints"),
                        InstanceMethod<&Source::pauseHints>("pauseHints"),
                        InstanceMethod<&Source::tls>("tls"),
                        InstanceMethod<&Source::stop>("stop"),
                        InstanceMethod<&Source::close>("close")});
  }

  explicit Source(const Napi::CallbackInfo &call)
      : ObjectWrap(call), offsetNs_(offsetOf(CLOCK_REALTIME)) {
    try {
      recorder_ = std::make_unique<Recorder>(readOptions(call[0].As<Napi::Object>()));
      ringBytes_ = recorder_->ringBytes();
      capture_ = recorder_->capture();
      policy_ = readPolicy(call[0].As<Napi::Object>().Get("redaction"));
    } catch (const CaptureError &error) {
      throw toJs(call.Env(), error);
    }
  }

  ~Source() override { end(); }

 private:
  Napi::Value info(const Napi::CallbackInfo &call) {
    Napi::Object info = Napi::Object::New(call.Env());
    info.Set("monotonicOffsetNs", Napi::BigInt::New(call.Env(), offsetNs_));
    info.Set("ringBytes", Napi::Number::New(call.Env(), static_cast<double>(ringBytes_)));
    info.Set("capture", capture_ == Capture::syscall ? "syscall" : "socket");
    return info;
  }

  // start(onBatch, onBeat): records until stop() or close(). Keeps the event loop alive meanwhile.
  void start(const Napi::CallbackInfo &call) {
    const Napi::Env env = call.Env();
    if (drain_ || !recorder_) throw Napi::Error::New(env, "a source can be started once");
    try {
      recorder_->attach();
      onBeat_ = Napi::Persistent(call[1].As<Napi::Function>());
      deliver_ = Napi::ThreadSafeFunction::New(env, call[0].As<Napi::Function>(), "aftertrace", 0, 1);
      drain_ = std::make_unique<Drain>(
          *recorder_, offsetNs_, policy_.get(), [this] { notify(&Source::deliverOne); },
          [this] {
            if (!isBeating_.exchange(true)) notify(&Source::beat);
          },
          [this] { notify(&Source::finish); });
    } catch (const CaptureError &error) {
      throw toJs(env, error);
    } catch (const std::system_error &error) {
      if (deliver_) deliver_.Abort();
      recorder_->detach();
      throw toJs(env, CaptureError("UNSUPPORTED", error.what(), ""));
    }
    // Hooks run last in, first out: ours before the one that takes the function away.
    napi_add_env_cleanup_hook(env, onTearDown, this);
    Ref();
  }

  // Runs `step` on the JavaScript thread. Never blocks the drain thread; the queue is its own, bounded.
  void notify(void (Source::*step)(Napi::Env, Napi::Function)) {
    deliver_.NonBlockingCall(
        [this, step](Napi::Env env, Napi::Function callback) { (this->*step)(env, callback); });
  }

  void deliverOne(Napi::Env env, Napi::Function callback) {
    if (!drain_) return;
    std::unique_ptr<Batch> batch = drain_->take();
    if (!batch) return;
    const Napi::Object object = batches_.toJs(env, *batch);
    drain_->giveBack(std::move(batch));
    callback.Call({object});
  }

  // One at a time: what JavaScript was too busy for is not made up for.
  void beat(Napi::Env, Napi::Function) {
    isBeating_ = false;
    if (drain_) onBeat_.Call({});
  }

  // The drain thread is done and every batch was delivered before this call.
  void finish(Napi::Env env, Napi::Function) {
    if (!drain_) return;
    release(env);
    for (const Napi::Promise::Deferred &stopped : stopped_) stopped.Resolve(env.Undefined());
    stopped_.clear();
  }

  // setHints(pid, kinds, go): which hints a process gives. Returns by name of a kind why it cannot give it.
  Napi::Value setHints(const Napi::CallbackInfo &call) {
    Napi::Object refused = Napi::Object::New(call.Env());
    if (!recorder_) return refused;
    go_layout layout = {};
    if (call[2].IsObject()) layout = readGoLayout(call[2].As<Napi::Object>());
    const HintRefusals reasons = recorder_->setHints(call[0].As<Napi::Number>().Uint32Value(),
                                                     call[1].As<Napi::Number>().Uint32Value(), layout);
    if (!reasons.async.empty()) refused.Set("async", reasons.async);
    if (!reasons.posts.empty()) refused.Set("posts", reasons.posts);
    return refused;
  }

  void pauseHints(const Napi::CallbackInfo &call) {
    if (recorder_) recorder_->pauseHints(call[0].As<Napi::Boolean>().Value());
  }

  Napi::Value stop(const Napi::CallbackInfo &call) {
    const auto deferred = Napi::Promise::Deferred::New(call.Env());
    if (drain_) {
      stopped_.push_back(deferred);
      drain_->requestStop();
    } else {
      end();
      deferred.Resolve(call.Env().Undefined());
    }
    return deferred.Promise();
  }

  // Stops at once and throws away what was not delivered: for process exit.
  void close(const Napi::CallbackInfo &call) {
    if (drain_) {
      release(call.Env());
    } else {
      end();
    }
  }

  void release(Napi::Env env) {
    napi_remove_env_cleanup_hook(env, onTearDown, this);
    end();
    Unref();
  }

  // Everything that must happen whoever ends it: the last figures kept, thread, function, programs gone.
  void end() {
    if (drain_) {
      drain_->requestStop();
      drain_->join();
      last_ = drain_->stats();
      last_.ringUsed = 0;
      lastGaps_ = drain_->takeGaps();
      drain_.reset();
      deliver_.Release();
    }
    if (recorder_) lastLosses_ = recorder_->losses();
    recorder_.reset();
  }

  Napi::Value stats(const Napi::CallbackInfo &call) {
    const Napi::Env env = call.Env();
    const DrainStats drained = drain_ ? drain_->stats() : last_;
    const LossCounts losses = recorder_ ? recorder_->losses() : lastLosses_;
    Napi::Object object = Napi::Object::New(env);
    const auto set = [&](const char *name, double value) {
      object.Set(name, Napi::Number::New(env, value));
    };
    set("events", static_cast<double>(drained.events));
    set("batches", static_cast<double>(drained.batches));
    set("queuedBatches", static_cast<double>(drained.queued));
    set("ringUsedBytes", static_cast<double>(drained.ringUsed));
    set("refused", static_cast<double>(drained.refused));
    set("ringFull", static_cast<double>(losses.byCause[LOSS_RING_FULL]));
    set("payloadUnreadable", static_cast<double>(losses.byCause[LOSS_PAYLOAD_UNREADABLE]));
    set("socketState", static_cast<double>(losses.byCause[LOSS_SOCKET_STATE]));
    set("sampled", static_cast<double>(losses.byCause[LOSS_SAMPLED]));
    set("tlsUnjoined", static_cast<double>(losses.byCause[LOSS_TLS_UNJOINED]));
    set("recursion", static_cast<double>(losses.recursion));
    set("produced", static_cast<double>(losses.produced));
    set("runTimeNs", static_cast<double>(losses.runTime));
    set("cutHeads", static_cast<double>(drained.cutHeads));
    set("undescribed", static_cast<double>(drained.undescribed));
    Napi::Object unreadable = Napi::Object::New(env);
    for (const auto &[call, count] : losses.unreadable) {
      unreadable.Set(call, Napi::Number::New(env, static_cast<double>(count)));
    }
    object.Set("unreadableCalls", unreadable);
    return object;
  }

  // takeGaps(): the holes in streams found since the last call.
  Napi::Value takeGaps(const Napi::CallbackInfo &call) {
    const Napi::Env env = call.Env();
    if (drain_) lastGaps_ = drain_->takeGaps();
    Napi::Array list = Napi::Array::New(env, lastGaps_.size());
    for (std::size_t i = 0; i < lastGaps_.size(); i++) {
      const StreamGap &gap = lastGaps_[i];
      Napi::Object object = Napi::Object::New(env);
      object.Set("connection", Napi::BigInt::New(env, gap.connection));
      object.Set("holes", Napi::Number::New(env, static_cast<double>(gap.holes)));
      object.Set("bytes", Napi::Number::New(env, static_cast<double>(gap.bytes)));
      object.Set("fromNs", Napi::BigInt::New(env, gap.from));
      object.Set("toNs", Napi::BigInt::New(env, gap.to));
      list.Set(static_cast<uint32_t>(i), object);
    }
    lastGaps_.clear();
    return list;
  }

  // throttle({ headLimit, sampleLimit }): what the programs leave out from now on.
  void throttle(const Napi::CallbackInfo &call) {
    if (!recorder_) return;
    const Napi::Object knobs = call[0].As<Napi::Object>();
    Throttle throttle;
    throttle.headLimit = knobs.Get("headLimit").As<Napi::Number>().Uint32Value();
    throttle.sampleLimit = knobs.Get("sampleLimit").As<Napi::Number>().Uint32Value();
    recorder_->throttle(throttle);
  }

  // { targets, probes, stepped, findings: [{ pid, kind, path, detail }] }; undefined where it is off.
  Napi::Value tls(const Napi::CallbackInfo &call) {
    const Napi::Env env = call.Env();
    TlsWatcher *watcher = recorder_ ? recorder_->tls() : nullptr;
    return watcher == nullptr ? env.Undefined() : tlsToJs(env, *watcher);
  }

  static void onTearDown(void *self) { static_cast<Source *>(self)->end(); }

  const int64_t offsetNs_;
  std::size_t ringBytes_ = 0;
  Capture capture_ = Capture::socket;
  std::unique_ptr<RedactionPolicy> policy_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<Drain> drain_;
  Napi::ThreadSafeFunction deliver_;
  Napi::FunctionReference onBeat_;
  std::atomic<bool> isBeating_{false};
  JsBatches batches_;
  std::vector<Napi::Promise::Deferred> stopped_;
  DrainStats last_;
  LossCounts lastLosses_;
  std::vector<StreamGap> lastGaps_;
};

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  exports.Set("Source", Source::define(env));
  exports.Set("layout", Napi::Function::New(env, [](const Napi::CallbackInfo &call) {
                return layout(call.Env());
              }));
  exports.Set("recognise", Napi::Function::New(env, recogniseTurn));
  exports.Set("clocks", Napi::Function::New(env, [](const Napi::CallbackInfo &call) {
                return clocks(call.Env());
              }));
  exports.Set("limitCapabilities", Napi::Function::New(env, [](const Napi::CallbackInfo &call) {
                bool lossless;
                const uint64_t kept = call[0].As<Napi::BigInt>().Uint64Value(&lossless);
                return Napi::String::New(call.Env(), limitCapabilities(kept));
              }));
  exports.Set("redact", Napi::Function::New(env, redact));
  exports.Set("returnProbesAreSafe", Napi::Function::New(env, [](const Napi::CallbackInfo &call) {
                return Napi::Boolean::New(call.Env(), returnProbesAreSafe());
              }));
  exports.Set("goroutineProbe", Napi::Function::New(env, goroutineProbe));
  exports.Set("loopProbes", Napi::Function::New(env, loopProbes));
  exports.Set("postProbes", Napi::Function::New(env, postProbes));
  exports.Set("tlsProbes", Napi::Function::New(env, tlsProbes));
  exports.Set("releaseMemory", Napi::Function::New(env, [](const Napi::CallbackInfo &) {
                releaseMemory();
              }));
  exports.Set("encodeSegment", Napi::Function::New(env, encodeSegmentAsync));
  return exports;
}

}  // namespace

NODE_API_MODULE(aftertrace, initialise)

}  // namespace aftertrace
