{
  "targets": [
    {
      "target_name": "truefork",
      "sources": [
        "native/addon.cc",
        "native/fork/address_space.cc",
        "native/fork/exits.cc",
        "native/fork/fork.cc",
        "native/fork/fuse.cc",
        "native/fork/pact.cc",
        "native/fork/platform.cc",
        "native/fork/signals.cc",
        "native/fork/threads.cc",
        "native/posix/constants.cc",
        "native/posix/delivery.cc",
        "native/posix/fork.cc",
        "native/posix/io.cc",
        "native/posix/posix.cc",
        "native/posix/process.cc",
        "native/posix/select.cc",
        "native/posix/signal.cc",
        "native/posix/sockaddr.cc",
        "native/posix/socket.cc",
        "native/posix/wait.cc",
        "native/serve/blocking.cc",
        "native/serve/channel.cc",
        "native/serve/children.cc",
        "native/serve/listener.cc",
        "native/serve/loop.cc",
        "native/serve/multiplexer.cc",
        "native/serve/serve.cc",
        "native/support/address.cc",
        "native/support/args.cc",
        "native/support/errors.cc",
        "native/support/faults.cc",
        "native/support/system.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")", "native"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_CPP_EXCEPTIONS"],
      "cflags!": ["-fno-exceptions"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti"],
      "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-fvisibility=hidden"]
    }
  ]
}
