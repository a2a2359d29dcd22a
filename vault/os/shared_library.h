// A shared library that few commands need, loaded when the first of them does: what is linked costs every command its
// relocations (docs/PERFORMANCE.md).
#pragma once

#include "callvault/result.h"

namespace callvault::os {

class SharedLibrary {
 public:
  // By its SONAME, on the linker's usual path. It stays loaded. Errors: unexpected, naming what to install.
  static Result<SharedLibrary> load(const char* soname);

  // Errors: unexpected when it has no function of that name.
  template <typename Function>
  Result<void> find(const char* name, Function*& out) const {
    CALLVAULT_TRY_ASSIGN(void* const found, address(name));
    out = reinterpret_cast<Function*>(found);
    return {};
  }

 private:
  SharedLibrary(const char* soname, void* handle) : soname_(soname), handle_(handle) {}
  Result<void*> address(const char* name) const;

  const char* soname_;
  void* handle_;
};

}  // namespace callvault::os
