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
        "js_loop.cc",
        "js_recognise.cc",
        "js_redact.cc",
        "js_tls.cc",
        "kernel_types.cc",
        "layout.cc",
        "loop_probes.cc",
        "mapping_events.cc",
        "memory.cc",
        "privilege.cc",
        "probe.cc",
        "process_maps.cc",
        "programs.cc",
        "prologue.cc",
        "recognise.cc",
        "recognise_dns.cc",
        "recognise_kafka.cc",
        "recognise_sql.cc",
        "record_mask.cc",
        "recorder.cc",
        "redactor.cc",
        "return_probe_check.cc",
        "ring_reader.cc",
        "ring_sleep.cc",
        "stream_check.cc",
        "task_probes.cc",
        "tls_probes.cc",
        "tls_target.cc",
        "tls_watcher.cc",
        "turns.cc",
        "segment/age_stream.cc",
        "segment/column_chunk.cc",
        "segment/compressor.cc",
        "segment/encode_segment.cc",
        "segment/encodings.cc",
        "segment/js_encode.cc",
        "segment/parquet_footer.cc",
        "segment/part_frames.cc",
        "segment/row_group.cc",
        "segment/row_order.cc",
        "segment/segment_io.cc",
        "segment/thrift_writer.cc",
        "segment/utf8.cc"
      ],
      "include_dirs": [
        "<!(node -p \"require('node-addon-api').include_dir\")",
        "../bpf",
        "../bpf/build"
      ],
      "defines": ["NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS",
        # A worker may be told to end while a batch is on its way: nothing can be thrown there any more.
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags": ["-O2", "-Wall", "-Wextra", "-Wno-unused-parameter", "-fvisibility=hidden"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti"],
      "cflags_cc": ["-std=c++17", "-fexceptions"],
      # Shared: the distributions' archives are not built for use in shared objects.
      # But for zstd, whose archive is: the addon then needs one library less.
      "libraries": ["-lbpf", "-l:libzstd.a"],
      "ldflags": ["-Wl,--exclude-libs,ALL", "-Wl,-z,relro,-z,now"]
    }
  ]
}
