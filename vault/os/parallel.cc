#include "os/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace callvault::os {

void in_parallel(std::size_t count, unsigned most, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr thrown;
  const auto take = [&] {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      try {
        work(i);
      } catch (...) {
        next.store(count);
        const std::lock_guard guard(mutex);
        if (!thrown) thrown = std::current_exception();
      }
    }
  };
  const std::size_t wanted = std::min<std::size_t>({std::thread::hardware_concurrency(), most, count});
  std::vector<std::thread> others;
  try {
    others.reserve(wanted);
    while (others.size() + 1 < wanted) others.emplace_back(take);
  } catch (const std::exception&) {
    // Then it is done by fewer.
  }
  take();
  for (auto& thread : others) thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace callvault::os
