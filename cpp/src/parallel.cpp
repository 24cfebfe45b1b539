#include "crewe/parallel.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace crewe {

struct ThreadPool::State {
  std::vector<std::thread> workers;
  std::mutex caller;                  // one job at a time
  std::atomic<std::uint32_t> job{0};  // grows with every job: what workers sleep on
  // Workers in the current job, and whether it is closed: a worker that wakes up late finds it so and goes, and nobody
  // waits for one that is still asleep, as it may be for long where other programs have the cores.
  static constexpr std::uint32_t closed = 1U << 31;
  std::atomic<std::uint32_t> inside{closed};
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> next{0};
  std::size_t n = 0, grain = 1;
  const RangeFunction* function = nullptr;
  std::mutex failure_lock;
  std::exception_ptr failure;

  void take_chunks() {
    for (;;) {
      const std::size_t begin = next.fetch_add(grain, std::memory_order_relaxed);
      if (begin >= n) return;
      try {
        (*function)(begin, std::min(begin + grain, n));
      } catch (...) {
        const std::lock_guard lock(failure_lock);
        if (!failure) failure = std::current_exception();
      }
    }
  }

  ~State() {
    stop.store(true, std::memory_order_release);
    job.fetch_add(1, std::memory_order_release);
    job.notify_all();
    for (std::thread& worker : workers) worker.join();
  }

  void work() {
    std::uint32_t seen = 0;
    for (;;) {
      job.wait(seen, std::memory_order_acquire);
      seen = job.load(std::memory_order_acquire);
      if (stop.load(std::memory_order_acquire)) return;
      if ((inside.fetch_add(1, std::memory_order_acq_rel) & closed) == 0) take_chunks();
      if (inside.fetch_sub(1, std::memory_order_acq_rel) == (closed | 1)) inside.notify_one();
    }
  }

  // When the chunks are taken: waits for those that others still work on.
  void close() {
    for (std::uint32_t now = inside.fetch_or(closed, std::memory_order_acq_rel) | closed; now != closed;
         now = inside.load(std::memory_order_acquire)) {
      inside.wait(now, std::memory_order_acquire);
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const int count = threads > 0 ? threads : cores;
  try {
    for (int i = 1; i < count; ++i) state_->workers.emplace_back([state = state_.get()] { state->work(); });
  } catch (const std::system_error&) {
    throw std::runtime_error("threads: " + std::to_string(count) + " wanted, the system gives " +
                             std::to_string(state_->workers.size() + 1));
  }
}

ThreadPool::~ThreadPool() = default;

int ThreadPool::threads() const {
  return static_cast<int>(state_->workers.size()) + 1;
}

void ThreadPool::run(std::size_t n, std::size_t grain, RangeFunction f) {
  if (n == 0) return;
  State& state = *state_;
  grain = std::max<std::size_t>(grain, 1);
  const std::unique_lock lock(state.caller, std::try_to_lock);
  if (state.workers.empty() || n <= grain || !lock.owns_lock()) {
    for (std::size_t begin = 0; begin < n; begin += grain) f(begin, std::min(begin + grain, n));
    return;
  }
  state.n = n;
  state.grain = grain;
  state.function = &f;
  state.failure = nullptr;
  state.next.store(0, std::memory_order_relaxed);
  state.inside.fetch_and(~State::closed, std::memory_order_release);
  state.job.fetch_add(1, std::memory_order_release);
  state.job.notify_all();
  state.take_chunks();
  state.close();
  if (state.failure) std::rethrow_exception(state.failure);
}

namespace {

// One pool per number of threads asked for. A forked child has none of its parent's threads: it starts anew.
ThreadPool& shared_pool(int threads) {
  static std::mutex lock;
  // Never destroyed: threads must not be joined while the process ends.
  static auto& pools = *new std::map<int, ThreadPool*>;
  static pid_t owner = getpid();
  const std::lock_guard guard(lock);
  if (owner != getpid()) {
    pools.clear();
    owner = getpid();
  }
  ThreadPool*& pool = pools[threads];
  if (pool == nullptr) pool = new ThreadPool(threads);
  return *pool;
}

}  // namespace

void parallel_for(std::size_t n, std::size_t grain, int threads, RangeFunction f) {
  grain = std::max<std::size_t>(grain, 1);
  if (threads == 1 || n <= grain) {
    for (std::size_t begin = 0; begin < n; begin += grain) f(begin, std::min(begin + grain, n));
    return;
  }
  shared_pool(threads).run(n, grain, f);
}

}  // namespace crewe
