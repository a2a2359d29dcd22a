# cmake --install gives: the command, the library with its public headers, a CMake package (callvault::callvault),
# a pkg-config file, man pages, completions. tests/install builds against the result.
include(CMakePackageConfigHelpers)

set(callvault_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/callvault)
set(callvault_private_modules libsodium libgfshare opus ogg sndfile samplerate lmdb fmt tomlplusplus)

install(TARGETS callvault EXPORT callvaultTargets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET callvault_command)
  # Only where there is a library to find: CMake reserves room for it in the built program by a list of empty paths,
  # and for the loader an empty path is the current folder.
  if(BUILD_SHARED_LIBS)
    set_target_properties(callvault_command PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  endif()
  install(TARGETS callvault_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/callvault DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)

# CMake package
install(EXPORT callvaultTargets NAMESPACE callvault:: DESTINATION ${callvault_config_dir})
configure_package_config_file(cmake/callvaultConfig.cmake.in ${PROJECT_BINARY_DIR}/callvaultConfig.cmake
  INSTALL_DESTINATION ${callvault_config_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/callvaultConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/callvaultConfig.cmake ${PROJECT_BINARY_DIR}/callvaultConfigVersion.cmake
  DESTINATION ${callvault_config_dir})

# pkg-config: an archive needs its libraries on every link line, a shared library only with --static.
list(JOIN callvault_private_modules " " callvault_pc_modules)
set(callvault_pc_libs "-pthread")
if(BUILD_SHARED_LIBS)
  set(callvault_pc_needs "Requires.private: ${callvault_pc_modules}\nLibs.private: ${callvault_pc_libs}")
  set(callvault_pc_own_libs "")
else()
  set(callvault_pc_needs "Requires: ${callvault_pc_modules}")
  set(callvault_pc_own_libs " ${callvault_pc_libs}")
endif()
# The prefix is found from the file's own place, so that the installed tree may be moved.
file(RELATIVE_PATH callvault_pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/callvault.pc.in ${PROJECT_BINARY_DIR}/callvault.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/callvault.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# Man pages: docs/man/<name>.<section>.scd, or <name>.scd whose first line says the section.
file(GLOB manual CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.scd)
find_program(SCDOC scdoc)
if(manual AND NOT SCDOC)
  message(WARNING "scdoc is missing: no man pages will be installed")
endif()
if(manual AND SCDOC)
  set(pages)
  foreach(source ${manual})
    file(STRINGS ${source} title LIMIT_COUNT 1)
    if(NOT title MATCHES "^([^(]+)\\(([1-9])\\)")
      message(FATAL_ERROR "${source} does not begin with name(section)")
    endif()
    set(name ${CMAKE_MATCH_1})
    set(section ${CMAKE_MATCH_2})
    set(page ${PROJECT_BINARY_DIR}/man/man${section}/${name}.${section})
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/man/man${section})
    add_custom_command(OUTPUT ${page} COMMAND sh -c "\"$1\" < \"$2\" > \"$3\"" -- ${SCDOC} ${source} ${page}
      DEPENDS ${source} VERBATIM)
    list(APPEND pages ${page})
  endforeach()
  add_custom_target(man ALL DEPENDS ${pages})
  install(DIRECTORY ${PROJECT_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR} FILES_MATCHING PATTERN "*.[1-9]")
endif()

# Completions, named as each shell looks for them.
set(completions ${PROJECT_SOURCE_DIR}/completions)
foreach(pair "callvault.bash|bash-completion/completions|callvault" "_callvault|zsh/site-functions|_callvault"
             "callvault.zsh|zsh/site-functions|_callvault" "callvault.fish|fish/vendor_completions.d|callvault.fish")
  string(REPLACE "|" ";" pair ${pair})
  list(GET pair 0 file)
  list(GET pair 1 folder)
  list(GET pair 2 name)
  if(EXISTS ${completions}/${file})
    install(FILES ${completions}/${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/${folder} RENAME ${name})
  endif()
endforeach()

# systemd units: the keeper's service, the nightly purge, a recorder's example. docs/SEPARATION.md.
file(GLOB units CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/packaging/systemd/callvault-*)
foreach(unit ${units})
  cmake_path(GET unit FILENAME name)
  string(REGEX REPLACE "\\.in$" "" name ${name})
  configure_file(${unit} ${PROJECT_BINARY_DIR}/packaging/systemd/${name} @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/packaging/systemd/${name} DESTINATION lib/systemd/system)
endforeach()
