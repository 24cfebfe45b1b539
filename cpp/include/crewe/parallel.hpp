// Fork-join over index ranges on a small pool of threads that sleep on an atomic (0.8 µs for a fork and join).
// Work is cut by index alone, and what is summed over chunks is joined in index order by the caller,
// so that results have the same bits for every number of threads.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace crewe {

// Calls f(begin, end) on the indices [0, n) of a job; non-owning, so nothing is allocated for a call.
class RangeFunction {
 public:
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, RangeFunction>)
  RangeFunction(F&& f)
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* object, std::size_t begin, std::size_t end) {
          (*static_cast<std::remove_reference_t<F>*>(object))(begin, end);
        }) {}
  void operator()(std::size_t begin, std::size_t end) const { call_(object_, begin, end); }

 private:
  void* object_;
  void (*call_)(void*, std::size_t, std::size_t);
};

class ThreadPool {
 public:
  // threads = 0: one per core. The caller of `run` is one of them. std::runtime_error if the system gives fewer.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  // f over [0, n) in chunks of at most `grain` indices, taken by whoever is free; returns when all are done.
  // The first exception thrown by f is thrown again here. A call from within f, or while another thread's call
  // runs, is done by the caller alone.
  void run(std::size_t n, std::size_t grain, RangeFunction f);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// f over [0, n) on the process's own pool; threads = 0: all cores, 1: the caller alone.
void parallel_for(std::size_t n, std::size_t grain, int threads, RangeFunction f);

}  // namespace crewe
