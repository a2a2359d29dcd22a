#include "os/tpm_nv.h"

#ifdef CALLVAULT_TPM

#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero
#include <tss2/tss2_esys.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <algorithm>
#include <cstdlib>

#include "os/shared_library.h"

namespace callvault::os {
namespace {

// The TPM's libraries: only a vault whose keeper lies in one needs them.
struct Tss2 {
  decltype(&::Esys_Free) Esys_Free = nullptr;
  decltype(&::Esys_Initialize) Esys_Initialize = nullptr;
  decltype(&::Esys_Finalize) Esys_Finalize = nullptr;
  decltype(&::Esys_FlushContext) Esys_FlushContext = nullptr;
  decltype(&::Esys_NV_DefineSpace) Esys_NV_DefineSpace = nullptr;
  decltype(&::Esys_NV_UndefineSpace) Esys_NV_UndefineSpace = nullptr;
  decltype(&::Esys_NV_Write) Esys_NV_Write = nullptr;
  decltype(&::Esys_NV_Read) Esys_NV_Read = nullptr;
  decltype(&::Esys_StartAuthSession) Esys_StartAuthSession = nullptr;
  decltype(&::Esys_TRSess_SetAttributes) Esys_TRSess_SetAttributes = nullptr;
  decltype(&::Esys_TR_Close) Esys_TR_Close = nullptr;
  decltype(&::Esys_TR_FromTPMPublic) Esys_TR_FromTPMPublic = nullptr;
  decltype(&::Esys_TR_SetAuth) Esys_TR_SetAuth = nullptr;
  decltype(&::Tss2_RC_Decode) Tss2_RC_Decode = nullptr;
  decltype(&::Tss2_TctiLdr_Initialize) Tss2_TctiLdr_Initialize = nullptr;
  decltype(&::Tss2_TctiLdr_Finalize) Tss2_TctiLdr_Finalize = nullptr;
};

Result<Tss2> load_tss2() {
  Tss2 out;
  CALLVAULT_TRY_ASSIGN(const auto esys, SharedLibrary::load(CALLVAULT_TSS2_ESYS));
  CALLVAULT_TRY(esys.find("Esys_Free", out.Esys_Free));
  CALLVAULT_TRY(esys.find("Esys_Initialize", out.Esys_Initialize));
  CALLVAULT_TRY(esys.find("Esys_Finalize", out.Esys_Finalize));
  CALLVAULT_TRY(esys.find("Esys_FlushContext", out.Esys_FlushContext));
  CALLVAULT_TRY(esys.find("Esys_NV_DefineSpace", out.Esys_NV_DefineSpace));
  CALLVAULT_TRY(esys.find("Esys_NV_UndefineSpace", out.Esys_NV_UndefineSpace));
  CALLVAULT_TRY(esys.find("Esys_NV_Write", out.Esys_NV_Write));
  CALLVAULT_TRY(esys.find("Esys_NV_Read", out.Esys_NV_Read));
  CALLVAULT_TRY(esys.find("Esys_StartAuthSession", out.Esys_StartAuthSession));
  CALLVAULT_TRY(esys.find("Esys_TRSess_SetAttributes", out.Esys_TRSess_SetAttributes));
  CALLVAULT_TRY(esys.find("Esys_TR_Close", out.Esys_TR_Close));
  CALLVAULT_TRY(esys.find("Esys_TR_FromTPMPublic", out.Esys_TR_FromTPMPublic));
  CALLVAULT_TRY(esys.find("Esys_TR_SetAuth", out.Esys_TR_SetAuth));
  CALLVAULT_TRY_ASSIGN(const auto texts, SharedLibrary::load(CALLVAULT_TSS2_RC));
  CALLVAULT_TRY(texts.find("Tss2_RC_Decode", out.Tss2_RC_Decode));
  CALLVAULT_TRY_ASSIGN(const auto tcti, SharedLibrary::load(CALLVAULT_TSS2_TCTI));
  CALLVAULT_TRY(tcti.find("Tss2_TctiLdr_Initialize", out.Tss2_TctiLdr_Initialize));
  CALLVAULT_TRY(tcti.find("Tss2_TctiLdr_Finalize", out.Tss2_TctiLdr_Finalize));
  return out;
}

const Tss2* api = nullptr;  // set before a TPM is reached

Result<void> need_tss2() {
  static const Result<Tss2> loaded = load_tss2();
  if (!loaded) return loaded.error();
  api = &*loaded;
  return {};
}

constexpr TPMA_NV kNvAttributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA;

// Responses of the TPM itself, without the number of the handle or session they are about.
bool is_code(TSS2_RC rc, TSS2_RC code) {
  return (rc & 0xffff0000U) == 0 && (rc & TPM2_RC_FMT1) != 0 && (rc & 0xbfU) == (code & 0xbfU);
}

Error tpm_error(TSS2_RC rc, const std::string& what) {
  if (is_code(rc, TPM2_RC_HANDLE)) return fail(Errc::not_found, what + ": the TPM has no such NV index");
  if (is_code(rc, TPM2_RC_AUTH_FAIL) || is_code(rc, TPM2_RC_BAD_AUTH))
    return fail(Errc::refused, what + ": the TPM takes another auth value");
  if (rc == TPM2_RC_NV_DEFINED) return fail(Errc::refused, what + ": the NV index is in use already");
  return fail(Errc::io, what + ": " + api->Tss2_RC_Decode(rc));
}

struct FreeEsys {
  template <typename T>
  void operator()(T* memory) const {
    api->Esys_Free(memory);
  }
};

class Esys final : public TpmNv {
 public:
  static Result<std::unique_ptr<TpmNv>> make(const std::string& tcti, ByteView auth) {
    CALLVAULT_TRY(need_tss2());
    std::unique_ptr<Esys> out(new Esys());
    if (auth.size() != kTpmAuthBytes) return fail(Errc::corrupt, "the auth value of the TPM's indices is damaged");
    out->auth_.size = kTpmAuthBytes;
    std::transform(auth.begin(), auth.end(), out->auth_.buffer, [](std::byte b) { return std::to_integer<BYTE>(b); });
    // The library writes to standard error whatever it meets, unless whoever looks for a fault has asked for it.
    ::setenv("TSS2_LOG", "all+NONE", 0);
    if (const auto rc = api->Tss2_TctiLdr_Initialize(tcti.empty() ? nullptr : tcti.c_str(), &out->tcti_); rc != 0)
      return tpm_error(rc, "cannot reach the TPM");
    if (const auto rc = api->Esys_Initialize(&out->esys_, out->tcti_, nullptr); rc != 0)
      return tpm_error(rc, "cannot reach the TPM");
    CALLVAULT_TRY(out->begin_session());
    return std::unique_ptr<TpmNv>(std::move(out));
  }

  ~Esys() override {
    if (session_ != ESYS_TR_NONE) api->Esys_FlushContext(esys_, session_);
    if (esys_ != nullptr) api->Esys_Finalize(&esys_);
    if (tcti_ != nullptr) api->Tss2_TctiLdr_Finalize(&tcti_);
    explicit_bzero(&auth_, sizeof auth_);
  }
  Esys(const Esys&) = delete;
  Esys& operator=(const Esys&) = delete;

  Result<bool> exists(std::uint32_t index) override {
    const auto found = open(index);
    if (found) return true;
    if (found.error().code == Errc::not_found) return false;
    return found.error();
  }

  Result<void> define(std::uint32_t index, std::size_t bytes) override {
    TPM2B_NV_PUBLIC area{};
    area.nvPublic.nvIndex = index;
    area.nvPublic.nameAlg = TPM2_ALG_SHA256;
    area.nvPublic.attributes = kNvAttributes;
    area.nvPublic.dataSize = static_cast<UINT16>(bytes);
    ESYS_TR made = ESYS_TR_NONE;
    const auto rc = api->Esys_NV_DefineSpace(esys_, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                             &auth_, &area, &made);
    if (rc != 0) return tpm_error(rc, "cannot define " + name(index));
    api->Esys_TR_Close(esys_, &made);
    return {};
  }

  Result<void> undefine(std::uint32_t index) override {
    CALLVAULT_TRY_ASSIGN(const ESYS_TR nv, open(index));
    const auto rc =
        api->Esys_NV_UndefineSpace(esys_, ESYS_TR_RH_OWNER, nv, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE);
    if (rc != 0) return tpm_error(rc, "cannot remove " + name(index));
    return {};
  }

  Result<void> write(std::uint32_t index, ByteView data) override {
    CALLVAULT_TRY_ASSIGN(ESYS_TR nv, open(index));
    TPM2B_MAX_NV_BUFFER buffer{};
    if (data.size() > sizeof buffer.buffer) return fail(Errc::usage, "more than " + name(index) + " takes at once");
    buffer.size = static_cast<UINT16>(data.size());
    std::transform(data.begin(), data.end(), buffer.buffer, [](std::byte b) { return std::to_integer<BYTE>(b); });
    const auto rc = api->Esys_NV_Write(esys_, nv, nv, session_, ESYS_TR_NONE, ESYS_TR_NONE, &buffer, 0);
    explicit_bzero(&buffer, sizeof buffer);
    api->Esys_TR_Close(esys_, &nv);
    if (rc != 0) return tpm_error(rc, "cannot write " + name(index));
    return {};
  }

  Result<void> read(std::uint32_t index, MutableBytes out) override {
    CALLVAULT_TRY_ASSIGN(ESYS_TR nv, open(index));
    TPM2B_MAX_NV_BUFFER* raw = nullptr;
    const auto rc = api->Esys_NV_Read(esys_, nv, nv, session_, ESYS_TR_NONE, ESYS_TR_NONE,
                                      static_cast<UINT16>(out.size()), 0, &raw);
    const std::unique_ptr<TPM2B_MAX_NV_BUFFER, FreeEsys> data(raw);
    api->Esys_TR_Close(esys_, &nv);
    if (rc != 0) return tpm_error(rc, "cannot read " + name(index));
    const bool whole = data->size == out.size();
    if (whole)
      std::transform(data->buffer, data->buffer + data->size, out.begin(), [](BYTE b) { return std::byte{b}; });
    explicit_bzero(data.get(), sizeof *data);
    return whole ? Result<void>() : fail(Errc::io, "cannot read " + name(index) + ": it is shorter");
  }

 private:
  Esys() = default;

  static std::string name(std::uint32_t index) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out = "NV index 0x";
    for (int shift = 28; shift >= 0; shift -= 4) out += kDigits[(index >> static_cast<unsigned>(shift)) & 15U];
    return out;
  }

  // What is read and written is encrypted on its way to the chip, under the auth value.
  Result<void> begin_session() {
    TPMT_SYM_DEF cipher{};
    cipher.algorithm = TPM2_ALG_AES;
    cipher.keyBits.aes = 128;
    cipher.mode.aes = TPM2_ALG_CFB;
    auto rc = api->Esys_StartAuthSession(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                         nullptr, TPM2_SE_HMAC, &cipher, TPM2_ALG_SHA256, &session_);
    constexpr TPMA_SESSION kWays = TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT | TPMA_SESSION_CONTINUESESSION;
    if (rc == 0) rc = api->Esys_TRSess_SetAttributes(esys_, session_, kWays, 0xff);
    if (rc != 0) return tpm_error(rc, "cannot begin a session with the TPM");
    return {};
  }

  Result<ESYS_TR> open(std::uint32_t index) {
    ESYS_TR nv = ESYS_TR_NONE;
    auto rc = api->Esys_TR_FromTPMPublic(esys_, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &nv);
    if (rc == 0) rc = api->Esys_TR_SetAuth(esys_, nv, &auth_);
    if (rc != 0) return tpm_error(rc, "cannot open " + name(index));
    return nv;
  }

  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR session_ = ESYS_TR_NONE;
  TPM2B_AUTH auth_{};
};

}  // namespace

bool TpmNv::available() { return true; }

Result<std::unique_ptr<TpmNv>> TpmNv::connect(const std::string& tcti, ByteView auth) { return Esys::make(tcti, auth); }

}  // namespace callvault::os

#else

namespace callvault::os {

bool TpmNv::available() { return false; }

Result<std::unique_ptr<TpmNv>> TpmNv::connect(const std::string&, ByteView) {
  return fail(Errc::refused, "this callvault was built without TPM keepers (libtss2-dev was missing)");
}

}  // namespace callvault::os

#endif
