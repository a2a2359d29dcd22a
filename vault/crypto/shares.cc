#include "crypto/shares.h"

extern "C" {  // its header does not say so
#include <libgfshare.h>
}

#include <algorithm>
#include <memory>
#include <set>

#include "crypto/random.h"

namespace callvault::crypto {
namespace {

struct FreeSharing {
  void operator()(gfshare_ctx* context) const { gfshare_ctx_free(context); }  // overwrites what it held
};
using Sharing = std::unique_ptr<gfshare_ctx, FreeSharing>;

void fill_share(unsigned char* out, unsigned int count) { fill_random({reinterpret_cast<std::byte*>(out), count}); }

unsigned char* share_bytes(Key& key) { return reinterpret_cast<unsigned char*>(key.reveal_mutable().data()); }

Error no_memory() { return fail(Errc::unexpected, "no memory to share a key"); }

}  // namespace

Result<std::vector<KeyShare>> split_key(const Key& secret, unsigned of, unsigned need) {
  if (need < 2 || need > of || of > kMaxShares)
    return fail(Errc::usage, "a key is split among 2 to " + std::to_string(kMaxShares) +
                                 " shares, of which at least 2 and at most all are needed");
  CALLVAULT_TRY(ready());
  gfshare_fill_rand = fill_share;
  std::vector<unsigned char> numbers;
  for (unsigned i = 1; i <= of; ++i) numbers.push_back(static_cast<unsigned char>(i));
  const Sharing sharing(gfshare_ctx_init_enc(numbers.data(), of, static_cast<unsigned char>(need), Key::kBytes));
  if (!sharing) return no_memory();
  CALLVAULT_TRY_ASSIGN(Key copy, secret.clone());
  gfshare_ctx_enc_setsecret(sharing.get(), share_bytes(copy));
  std::vector<KeyShare> out;
  out.reserve(of);
  for (unsigned i = 0; i < of; ++i) {
    CALLVAULT_TRY_ASSIGN(Key part, Key::random());
    gfshare_ctx_enc_getshare(sharing.get(), static_cast<unsigned char>(i), share_bytes(part));
    out.push_back({numbers[i], std::move(part)});
  }
  return out;
}

Result<Key> join_key(const std::vector<KeyShare>& shares) {
  std::set<std::uint8_t> numbers;
  for (const auto& share : shares)
    if (share.number >= 1 && share.number <= kMaxShares) numbers.insert(share.number);
  if (numbers.size() != shares.size() || shares.size() < 2 || shares.size() > kMaxShares)
    return fail(Errc::usage, "a key is joined from at least 2 shares, each of another number");
  CALLVAULT_TRY(ready());
  gfshare_fill_rand = fill_share;
  std::vector<unsigned char> order;
  order.reserve(shares.size());
  for (const auto& share : shares) order.push_back(share.number);
  const Sharing sharing(gfshare_ctx_init_dec(order.data(), static_cast<unsigned>(order.size()), Key::kBytes));
  if (!sharing) return no_memory();
  for (std::size_t i = 0; i < shares.size(); ++i) {
    CALLVAULT_TRY_ASSIGN(Key part, shares[i].part.clone());
    gfshare_ctx_dec_giveshare(sharing.get(), static_cast<unsigned char>(i), share_bytes(part));
  }
  CALLVAULT_TRY_ASSIGN(Key out, Key::random());
  gfshare_ctx_dec_extract(sharing.get(), share_bytes(out));
  return out;
}

}  // namespace callvault::crypto
