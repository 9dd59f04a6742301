{
  "type": "executable",
  "include_dirs": ["../../build/generated", "."],
  "include_dirs!": ["<(node_root_dir)/include/node"],
  # Static and without the C++ library's runtime: a start costs under a millisecond, and the program
  # runs where no shared library of ours is installed.
  "cflags_cc!": ["-std=gnu++17", "-fPIC"],
  "cflags_cc": ["-std=gnu++20", "-Os", "-fno-exceptions", "-fno-rtti", "-ffunction-sections"],
  "ldflags": ["-static", "-Wl,--gc-sections", "-s"],
}
