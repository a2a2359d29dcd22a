# Every dependency is a Debian package named in packages.txt. Each has one owner among the layers.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(module libsodium libgfshare opus ogg sndfile samplerate lmdb fmt pugixml)
  pkg_check_modules(${module} REQUIRED IMPORTED_TARGET ${module})
endforeach()

# Loaded by the commands that need them, not linked (os/shared_library.h): ${variable} is the SONAME.
function(callvault_loaded_library variable module)
  pkg_check_modules(found_${module} REQUIRED ${module})
  list(GET found_${module}_LINK_LIBRARIES 0 file)
  execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${file} OUTPUT_VARIABLE headers)
  if(NOT headers MATCHES "SONAME +([^ \n]+)")
    message(FATAL_ERROR "${file} does not say its SONAME")
  endif()
  set(${variable} ${CMAKE_MATCH_1} PARENT_SCOPE)
endfunction()
callvault_loaded_library(callvault_libarchive libarchive)
# A keeper in a TPM: only where its library is.
pkg_check_modules(tss2 tss2-esys tss2-rc tss2-tctildr)
if(tss2_FOUND)
  callvault_loaded_library(callvault_tss2_esys tss2-esys)
  callvault_loaded_library(callvault_tss2_rc tss2-rc)
  callvault_loaded_library(callvault_tss2_tcti tss2-tctildr)
endif()
find_package(date REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)

add_library(callvault_settings INTERFACE)
target_include_directories(callvault_settings INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/vault>)
target_compile_options(callvault_settings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Wunused -Woverloaded-virtual
  -fstack-protector-strong
  # GCC 12 at -O3 sees overlaps, overreads and overflows in std::string and std::vector that are not there (its bug 105329)
  $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict;-Wno-stringop-overread;-Wno-stringop-overflow;-Wno-array-bounds>)
target_compile_definitions(callvault_settings INTERFACE CALLVAULT_VERSION="${PROJECT_VERSION}")
if(NOT CALLVAULT_SANITIZE AND NOT CALLVAULT_TSAN)
  target_compile_options(callvault_settings INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) # some compilers preset it
endif()
if(CALLVAULT_DEVELOPER)
  target_compile_options(callvault_settings INTERFACE -Werror)
endif()
if(CALLVAULT_SANITIZE)
  target_compile_options(callvault_settings INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>) # GCC's manual: under sanitizers it sees what is not there
  target_link_options(callvault_settings INTERFACE -fsanitize=address,undefined)
endif()
if(CALLVAULT_TSAN)
  target_compile_options(callvault_settings INTERFACE -fsanitize=thread -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>) # fences, which GCC's does not model: libstdc++ has some
  target_link_options(callvault_settings INTERFACE -fsanitize=thread)
endif()
if(CALLVAULT_FUZZ)
  target_compile_options(callvault_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
