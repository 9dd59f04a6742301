{
  # The addon, the launchers, and the load generator. The engine's programs (mosmove, mosgate, moshusk) are built by native/Makefile,
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
        "native/addon/groups.cc",
        "native/addon/identity.cc",
        "native/addon/link.cc",
        "native/addon/memory.cc",
        "native/addon/inspect.cc",
        "native/addon/notify.cc",
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
      "target_name": "mosrun",
      "product_name": "mosrun",
      "includes": ["native/launcher/launcher.gypi"],
      "sources": ["native/launcher/launcher.cc", "native/launcher/mosrun.cc"],
    },
    {
      "target_name": "mosenv",
      "product_name": "mosenv",
      "includes": ["native/launcher/launcher.gypi"],
      "sources": ["native/launcher/launcher.cc", "native/launcher/mosenv.cc"],
    },
    {
      "target_name": "mosnative",
      "product_name": "mosnative",
      "includes": ["native/launcher/launcher.gypi"],
      "sources": ["native/launcher/launcher.cc", "native/launcher/mosnative.cc"],
    },
    {
      "target_name": "mostestload",
      "product_name": "mostestload",
      "includes": ["native/launcher/launcher.gypi"],
      "sources": ["native/testload/mostestload.cc"],
    },
  ],
}
