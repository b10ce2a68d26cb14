# Written for Homebrew, and not tested: nobody has run it on macOS yet.
class AzsshDoctor < Formula
  desc "Tell why an SSH connection to an Azure VM fails"
  homepage "https://github.com/azssh-doctor/azssh-doctor"
  head "https://github.com/azssh-doctor/azssh-doctor.git", branch: "main"
  license "MIT"

  depends_on "autoconf" => :build
  depends_on "automake" => :build
  depends_on "pkgconf" => :build
  depends_on "curl"
  depends_on "jansson"
  depends_on "libssh2"
  depends_on "libyaml"
  depends_on "openssl@3"
  depends_on "utf8proc"

  def install
    system "autoreconf", "-i"
    system "./configure", *std_configure_args
    system "make", "install"
  end

  test do
    assert_match "nsg:", shell_output("#{bin}/azssh-doctor --list-checks")
  end
end
