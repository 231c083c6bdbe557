{
  "targets": [
    {
      "target_name": "aftertrace",
      "sources": [
        "addon.cc",
        "batch.cc",
        "drain.cc",
        "elf_image.cc",
        "header_names.cc",
        "js_batch.cc",
        "js_redact.cc",
        "js_tls.cc",
        "layout.cc",
        "mapping_events.cc",
        "privilege.cc",
        "probe.cc",
        "process_maps.cc",
        "prologue.cc",
        "record_mask.cc",
        "recorder.cc",
        "redactor.cc",
        "ring_reader.cc",
        "ring_sleep.cc",
        "stream_check.cc",
        "tls_probes.cc",
        "tls_target.cc",
        "tls_watcher.cc"
      ],
      "include_dirs": [
        "<!(node -p \"require('node-addon-api').include_dir\")",
        "../bpf",
        "../bpf/build"
      ],
      "defines": ["NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS"],
      "cflags": ["-O2", "-Wall", "-Wextra", "-Wno-unused-parameter", "-fvisibility=hidden"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti"],
      "cflags_cc": ["-std=c++17", "-fexceptions"],
      # Shared: the distributions' archives are not built for use in shared objects.
      "libraries": ["-lbpf"],
      "ldflags": ["-Wl,--exclude-libs,ALL", "-Wl,-z,relro,-z,now"]
    }
  ]
}
