#include "overlay/tools/network_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "overlay/io/system.h"
#include "overlay/tools/files.h"

namespace ipop {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxPemFile = 16 * 1024;
constexpr mode_t kSecret = 0600;
constexpr mode_t kPublic = 0644;
constexpr mode_t kPrivateDirectory = 0700;

Result<Certificate, Problem> read_certificate(const fs::path& path) {
  const auto pem = read_file(path, kMaxPemFile);
  if (!pem) return pem.error();
  auto certificate = Certificate::from_pem(*pem);
  if (!certificate) return Problem{path.string() + ": is not an IPOP certificate; restore it from a backup"};
  return std::move(*certificate);
}

Result<Done, Problem> make_parents(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory.parent_path(), error);
  if (mkdir(directory.c_str(), kPrivateDirectory) != 0 && errno != EEXIST) {
    return system_problem(directory, "cannot be created");
  }
  return Done{};
}

/// Entries with this extension, sorted, without it; directories if the extension is empty.
Result<std::vector<std::string>, Problem> names_in(const fs::path& directory, std::string_view extension) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path name = entry->path().filename();
    if (extension.empty() ? entry->is_directory(error) : name.extension() == extension) {
      if (is_dns_label(name.stem().string())) names.push_back(name.stem().string());
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Problem{directory.string() + ": cannot be read: " + error.message()};
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Result<Done, Problem> NetworkDir::create(const Authority& authority) const {
  const std::string& network = authority.certificate().host_name();
  const fs::path final_name = root_ / network;
  std::error_code error;
  if (fs::exists(final_name, error)) {
    return Problem{"network " + network + " exists already in " + root_.string() +
                   "; choose another name or another --dir"};
  }
  if (const auto ok = make_parents(root_); !ok) return ok.error();

  // Filled aside and renamed, so that a network is there with its key or is not there.
  const fs::path aside = root_ / ("." + network + "." + std::to_string(getpid()) + ".tmp");
  if (mkdir(aside.c_str(), kPrivateDirectory) != 0) return system_problem(aside, "cannot be created");
  Result<Done, Problem> result = create_file(aside / "ca.key", kSecret, authority.key_pem());
  if (result) result = create_file(aside / "ca.crt", kPublic, authority.certificate().to_pem());
  if (result && mkdir((aside / "hosts").c_str(), kPrivateDirectory) != 0) {
    result = system_problem(aside / "hosts", "cannot be created");
  }
  if (result && rename(aside.c_str(), final_name.c_str()) != 0) {
    result = system_problem(final_name, "cannot be created");
  }
  if (!result) fs::remove_all(aside, error);
  return result;
}

Result<Authority, Problem> NetworkDir::load(const std::string& network) const {
  const fs::path directory = root_ / network;
  std::error_code error;
  if (!fs::exists(directory, error)) return no_such_network(network);
  const auto key = read_file(directory / "ca.key", kMaxPemFile);
  if (!key) return key.error();
  const auto certificate = read_file(directory / "ca.crt", kMaxPemFile);
  if (!certificate) return certificate.error();
  auto authority = Authority::from_pem(*key, *certificate);
  if (!authority) {
    return Problem{directory.string() + ": ca.key and ca.crt are damaged or do not belong together; " +
                   "restore them from a backup"};
  }
  return std::move(*authority);
}

Result<Certificate, Problem> NetworkDir::load_certificate(const std::string& network) const {
  return read_certificate(root_ / network / "ca.crt");
}

Result<std::optional<wire::SignedSettings>, Problem> NetworkDir::load_settings(
    const std::string& network) const {
  const fs::path path = root_ / network / "settings";
  std::error_code error;
  if (!fs::exists(path, error)) return std::optional<wire::SignedSettings>();
  const auto file = read_file(path, wire::SignedSettings::kMaxFileSize);
  if (!file) return file.error();
  auto settings = wire::SignedSettings::decode(*file);
  // A lower version than the hosts have would be refused there, so it is not guessed.
  if (!settings) return Problem{path.string() + ": is no file of settings; restore it from a backup"};
  return std::optional(std::move(*settings));
}

Result<Done, Problem> NetworkDir::store_settings(const std::string& network, const std::string& file) const {
  return replace_file(root_ / network / "settings", kPublic, file);
}

Result<std::vector<std::string>, Problem> NetworkDir::networks() const { return names_in(root_, ""); }

Result<std::vector<std::string>, Problem> NetworkDir::hosts(const std::string& network) const {
  std::error_code error;
  if (!fs::exists(root_ / network, error)) return no_such_network(network);
  return names_in(root_ / network / "hosts", ".crt");
}

bool NetworkDir::has_host(const std::string& network, const std::string& host) const {
  std::error_code error;
  return fs::exists(host_file(network, host), error);
}

Result<Certificate, Problem> NetworkDir::load_host(const std::string& network,
                                                   const std::string& host) const {
  return read_certificate(host_file(network, host));
}

Result<Done, Problem> NetworkDir::add_host(const std::string& network, const Certificate& certificate) const {
  return create_file(host_file(network, certificate.host_name()), kPublic, certificate.to_pem());
}

Result<Done, Problem> NetworkDir::replace_host(const std::string& network,
                                               const Certificate& certificate) const {
  return replace_file(host_file(network, certificate.host_name()), kPublic, certificate.to_pem());
}

void NetworkDir::remove_host(const std::string& network, const std::string& host) const {
  unlink(host_file(network, host).c_str());
}

fs::path NetworkDir::host_file(const std::string& network, const std::string& host) const {
  return root_ / network / "hosts" / (host + ".crt");
}

Problem NetworkDir::no_such_network(const std::string& network) const {
  return {"there is no network " + network + " in " + root_.string() +
          "; make it with: ipopctl network create " + network + " --subnet 10.128.0.0/16"};
}

}  // namespace ipop
