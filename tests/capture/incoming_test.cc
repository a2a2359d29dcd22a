// Listing incoming/ while recorders end.
#include "capture/incoming.h"

#include <fstream>

#include "recorder_fixture.h"

using namespace callvault;
using namespace callvault::recorder_test;

TEST_CASE("a file whose recorder ends during the listing is seen, and once") {
  const TestVault vault;
  const auto& layout = vault.layout();
  const std::string id(RecordingId::kTextLength, 'a');
  const auto part = layout.incoming() / (id + ".agent.part");
  const auto whole = layout.incoming() / (id + ".agent");
  REQUIRE(sealed::parse_file_name(part.filename().string()));
  std::ofstream(layout.incoming() / (id + ".caller")) << "x";
  std::size_t seen_alive = 0, seen_whole = 0;
  for (int round = 0; round < 2000; ++round) {
    std::atomic<bool> go{false};
    std::thread recorder;
    {
      auto file = must(os::File::create(part));
      REQUIRE(must(file.try_lock_exclusive()));
      recorder = std::thread([&, file = std::move(file)] {
        while (!go) std::this_thread::yield();
        for (int i = 0; i < round % 100 * 20; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
        std::filesystem::rename(part, whole);
      });
    }
    go = true;
    const auto calls = must(capture::list_incoming(layout));
    recorder.join();
    REQUIRE(calls.size() == 1);
    REQUIRE(calls[0].files.size() == 2);
    (calls[0].alive() ? seen_alive : seen_whole) += 1;
    std::filesystem::remove(whole);
  }
  MESSAGE("seen alive " << seen_alive << " times, finished " << seen_whole);
}
