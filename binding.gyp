{
  # The addon and the launcher. The engine's programs (mosmove, mosgate, moshusk) are built by native/Makefile,
  # because the freestanding stub inside them needs flags of its own.
  "target_defaults": {
    "cflags_cc": ["-Wall", "-Wextra", "-Werror"],
    "default_configuration": "Release",
  },
  "targets": [
    {
      "target_name": "addon",
      "product_name": "mosrun",
      "sources": [
        "native/addon/addon.cc",
        "native/addon/cpu.cc",
        "native/addon/identity.cc",
        "native/addon/inspect.cc",
        "native/addon/probe.cc",
        "native/engine/inspect.cc",
        "native/engine/proc.cc",
        "native/engine/stops.cc",
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")", "native", "build/generated"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_ADDON_API_CPP_EXCEPTIONS"],
      # Node's own gyp settings name a C++ standard and forbid exceptions; both must be taken out per target.
      "cflags_cc!": ["-std=gnu++17", "-fno-exceptions", "-fno-rtti"],
      # GCC 12 sees an overlap in std::string that is none (PR 105651).
      "cflags_cc": ["-std=gnu++20", "-fexceptions", "-Wno-restrict"],
    },
    {
      "target_name": "launcher",
      "type": "executable",
      "product_name": "mosrun-launcher",
      "sources": ["native/launcher/mosrun.cc"],
      "include_dirs": ["build/generated"],
      "include_dirs!": ["<(node_root_dir)/include/node"],
      # Static and without the C++ library's runtime: a start costs under a millisecond, and the program
      # runs where no shared library of ours is installed.
      "cflags_cc!": ["-std=gnu++17", "-fPIC"],
      "cflags_cc": ["-std=gnu++20", "-Os", "-fno-exceptions", "-fno-rtti", "-ffunction-sections"],
      "ldflags": ["-static", "-Wl,--gc-sections", "-s"],
    },
  ],
}
