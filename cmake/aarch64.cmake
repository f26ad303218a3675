# The core for 64-bit ARM, built on another machine, and its tests in an emulator: tests/README.md.
# For Debian's g++-aarch64-linux-gnu and qemu-user-static.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)  # the emulator then needs no libraries of that machine
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)
