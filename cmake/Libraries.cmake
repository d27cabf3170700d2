# Outside libraries: Debian 12's packages, nothing else. packages.txt names the packages.

set(Boost_USE_STATIC_LIBS ON)  # Debian's boost 1.81 is not what an installed machine has by default
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(BZip2 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(CURL 7.88 REQUIRED)  # its headers; it is loaded when it is wanted
find_package(EXPAT REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto SSL)
find_package(PkgConfig REQUIRED)
find_package(PostgreSQL 15 REQUIRED)  # its headers; it is loaded when it is wanted
find_package(SQLite3 3.40 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_library(IPSEC_MB IPSec_MB REQUIRED)
# Small, and each library less is loaded at no start.
find_library(ARGON2 libargon2.a REQUIRED)
find_library(LIBSECCOMP libseccomp.a REQUIRED)
find_library(LIBURING liburing.a REQUIRED)
pkg_check_modules(fuse3 REQUIRED IMPORTED_TARGET fuse3>=3.12)
pkg_check_modules(brotli REQUIRED IMPORTED_TARGET libbrotlidec)
pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal>=2.30)
pkg_check_modules(lzma REQUIRED IMPORTED_TARGET liblzma>=5.4)
pkg_check_modules(nftables REQUIRED IMPORTED_TARGET libnftables>=1.0.6)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash>=0.8.1)  # its header
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd>=1.5)
