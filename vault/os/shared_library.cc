#include "os/shared_library.h"

#include <dlfcn.h>

#include <string>

namespace callvault::os {

Result<SharedLibrary> SharedLibrary::load(const char* soname) {
  void* const handle = ::dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* const why = ::dlerror();
    return fail(Errc::unexpected, std::string("this needs the library ") + soname + ": " + (why ? why : "not found"));
  }
  return SharedLibrary(soname, handle);
}

Result<void*> SharedLibrary::address(const char* name) const {
  void* const found = ::dlsym(handle_, name);
  if (found == nullptr) return fail(Errc::unexpected, std::string("the library ") + soname_ + " has no " + name);
  return found;
}

}  // namespace callvault::os
