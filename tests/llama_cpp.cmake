# For `make test-llama`: the arithmetic of llama.cpp (its project ggml) is optimised, the rest is not, which takes
# a tenth of the time to compile and is fast enough for a tiny model.
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
