// The threads of a block as fibers: kernels' launches, barriers and warp operations.
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "cuda_runtime.h"

thread_local uint3 threadIdx{}, blockIdx{};
thread_local dim3 blockDim{}, gridDim{};

namespace emulator {
namespace {

constexpr unsigned kLanes = 32, kMostThreads = 1024;
constexpr std::size_t kStack = 256 << 10, kShared = 227 << 10, kGuard = 256;

thread_local std::string complaint;

enum class State { ready, at_barrier, at_exchange, ended };

struct Fiber {
  State state = State::ready;
  uint3 thread{};
  unsigned mask = 0;
  std::uint64_t operand = 0, got[kLanes] = {};
  unsigned there = 0;  // lanes that took part in the last exchange
  bool started = false;
  void* stack = nullptr;
  ucontext_t start;
  jmp_buf at;
};

class Engine {
 public:
  cudaError_t run(dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()>& job) {
    job_ = &job;
    blockDim = block;
    gridDim = grid;
    const unsigned threads = block.x * block.y * block.z;
    fibers_.reserve(kMostThreads);
    while (fibers_.size() < threads) fibers_.push_back(std::make_unique<Fiber>());
    shared_.resize(kShared + kGuard);
    const bool backwards = launches_++ % 2 != 0;
    const std::uint64_t blocks = std::uint64_t{grid.x} * grid.y * grid.z;
    for (std::uint64_t i = 0; i < blocks; ++i) {
      const std::uint64_t index = backwards ? blocks - 1 - i : i;
      blockIdx = {static_cast<unsigned>(index % grid.x), static_cast<unsigned>(index / grid.x % grid.y),
                  static_cast<unsigned>(index / grid.x / grid.y)};
      std::memset(shared_.data(), 0xFF, shared_bytes);
      std::memset(shared_.data() + shared_bytes, 0xA5, kGuard);
      if (!run_block(block, threads)) return cudaErrorLaunchFailure;
      for (std::size_t k = 0; k < kGuard; ++k) {
        if (shared_[shared_bytes + k] != 0xA5) return complain("a write past the end of dynamic shared memory");
      }
    }
    return cudaSuccess;
  }

  Fiber& current() { return *current_; }
  void* shared() { return shared_.data(); }
  void wait(State state) {
    current_->state = state;
    if (_setjmp(current_->at) == 0) _longjmp(scheduler_, 1);
  }
  [[noreturn]] void abandon(const char* why) {
    complain(why);
    broken_ = true;
    current_->started = false;
    _longjmp(scheduler_, 1);
  }

 private:
  static cudaError_t complain(const char* why) {
    complaint = std::string(why) + " (block " + std::to_string(blockIdx.x) + ", " + std::to_string(blockIdx.y) + ", " +
                std::to_string(blockIdx.z) + ")";
    return cudaErrorLaunchFailure;
  }

  bool run_block(dim3 block, unsigned threads) {
    broken_ = false;
    for (unsigned i = 0; i < threads; ++i) {
      Fiber& fiber = *fibers_[i];
      fiber.state = State::ready;
      fiber.thread = {i % block.x, i / block.x % block.y, i / block.x / block.y};
    }
    const unsigned warps = (threads + kLanes - 1) / kLanes;
    for (;;) {
      bool moved = false;
      unsigned ended = 0, waiting = 0;
      for (unsigned w = 0; w < warps; ++w) {
        const unsigned warp = (w + launches_) % warps, first = warp * kLanes, end = std::min(first + kLanes, threads);
        // As far as a warp gets alone, so that a missing barrier between warps shows.
        while (run_lanes(first, end)) moved = true;
        if (broken_) return give_up(threads);
        for (unsigned i = first; i < end; ++i) {
          ended += fibers_[i]->state == State::ended ? 1U : 0U;
          waiting += fibers_[i]->state == State::at_barrier ? 1U : 0U;
        }
      }
      if (ended == threads) return true;
      if (waiting != 0 && waiting + ended == threads) {
        for (unsigned i = 0; i < threads; ++i) {
          if (fibers_[i]->state == State::at_barrier) fibers_[i]->state = State::ready;
        }
      } else if (!moved) {
        complain("threads wait for ever: a barrier or a warp operation that not all reach");
        return give_up(threads);
      }
    }
  }

  // The fibers that stopped somewhere begin anew with the next block.
  bool give_up(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
      if (fibers_[i]->state != State::ended) fibers_[i]->started = false;
    }
    return false;
  }

  bool run_lanes(unsigned first, unsigned end) {
    bool moved = false;
    for (unsigned i = first; i < end && !broken_; ++i) {
      if (fibers_[i]->state != State::ready) continue;
      resume(*fibers_[i]);
      moved = true;
    }
    for (unsigned i = first; i < end && !broken_; ++i) {
      if (fibers_[i]->state == State::at_exchange) moved = exchange(first, end, fibers_[i]->mask) || moved;
    }
    return moved && !broken_;
  }

  bool exchange(unsigned first, unsigned end, unsigned mask) {
    unsigned there = 0;
    for (unsigned i = first; i < end; ++i) {
      const Fiber& fiber = *fibers_[i];
      if ((mask >> (i - first) & 1U) == 0 || fiber.state == State::ended) continue;
      if (fiber.state != State::at_exchange || fiber.mask != mask) return false;
      there |= 1U << (i - first);
    }
    std::uint64_t all[kLanes];
    std::memset(all, 0xFF, sizeof all);
    for (unsigned i = first; i < end; ++i) {
      if ((there >> (i - first) & 1U) != 0) all[i - first] = fibers_[i]->operand;
    }
    for (unsigned i = first; i < end; ++i) {
      if ((there >> (i - first) & 1U) == 0) continue;
      std::memcpy(fibers_[i]->got, all, sizeof all);
      fibers_[i]->there = there;
      fibers_[i]->state = State::ready;
    }
    return true;
  }

  void resume(Fiber& fiber) {
    current_ = &fiber;
    threadIdx = fiber.thread;
    if (_setjmp(scheduler_) != 0) return;
    if (fiber.started) _longjmp(fiber.at, 1);
    begin(fiber);
  }

  void begin(Fiber& fiber) {
    if (fiber.stack == nullptr) {
      fiber.stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (fiber.stack == MAP_FAILED) std::abort();
    }
    fiber.started = true;
    getcontext(&fiber.start);
    fiber.start.uc_stack.ss_sp = fiber.stack;
    fiber.start.uc_stack.ss_size = kStack;
    fiber.start.uc_link = nullptr;
    makecontext(&fiber.start, [] { Engine::mine().live(); }, 0);
    setcontext(&fiber.start);
  }

  [[noreturn]] void live() {
    for (;;) {
      (*job_)();
      wait(State::ended);
    }
  }

 public:
  static Engine& mine() {
    static thread_local Engine engine;
    return engine;
  }

 private:
  const std::function<void()>* job_ = nullptr;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<unsigned char> shared_;
  Fiber* current_ = nullptr;
  jmp_buf scheduler_;
  unsigned launches_ = 0;
  bool broken_ = false;
};

}  // namespace

cudaError_t check_launch(dim3 grid, dim3 block, std::size_t shared_bytes) {
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  const bool fits = threads > 0 && threads <= kMostThreads && block.z <= 64 && shared_bytes <= kShared && grid.x > 0 &&
                    grid.y > 0 && grid.z > 0 && grid.x <= 0x7FFFFFFF && grid.y <= 65535 && grid.z <= 65535;
  return fits ? cudaSuccess : cudaErrorInvalidConfiguration;
}

cudaError_t run(dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()>& thread) {
  if (std::getenv("CREWE_EMULATOR_FAIL") != nullptr) {
    complaint = "CREWE_EMULATOR_FAIL is set";
    return cudaErrorLaunchFailure;
  }
  return Engine::mine().run(grid, block, shared_bytes, thread);
}

const char* last_complaint() {
  return complaint.c_str();
}
void* shared_memory() {
  return Engine::mine().shared();
}
void block_barrier() {
  Engine::mine().wait(State::at_barrier);
}

unsigned lane() {
  return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % kLanes;
}

const std::uint64_t* warp_exchange(unsigned mask, std::uint64_t operand) {
  Engine& engine = Engine::mine();
  if ((mask >> lane() & 1U) == 0) engine.abandon("a warp operation by a lane that its mask doesn't name");
  engine.current().mask = mask;
  engine.current().operand = operand;
  engine.wait(State::at_exchange);
  return engine.current().got;
}

bool lane_is_there(unsigned lane) {
  return (Engine::mine().current().there >> lane & 1U) != 0;
}

}  // namespace emulator

int __syncthreads_count(int predicate) {
  static thread_local int counts[2];
  static thread_local int calls = 0;
  if (threadIdx.x + threadIdx.y + threadIdx.z == 0) counts[calls % 2] = 0;
  __syncthreads();
  if (predicate != 0) ++counts[calls % 2];
  __syncthreads();
  const int count = counts[calls % 2];
  __syncthreads();
  if (threadIdx.x + threadIdx.y + threadIdx.z == 0) ++calls;
  __syncthreads();
  return count;
}
int __syncthreads_and(int predicate) {
  return __syncthreads_count(predicate == 0 ? 1 : 0) == 0 ? 1 : 0;
}
unsigned __ballot_sync(unsigned mask, int predicate) {
  const std::uint64_t* all = emulator::warp_exchange(mask, predicate != 0 ? 1 : 0);
  unsigned votes = 0;
  for (unsigned i = 0; i < 32; ++i) {
    if ((mask >> i & 1U) != 0 && emulator::lane_is_there(i) && all[i] == 1) votes |= 1U << i;
  }
  return votes;
}
int __all_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate == 0 ? 1 : 0) == 0 ? 1 : 0;
}
