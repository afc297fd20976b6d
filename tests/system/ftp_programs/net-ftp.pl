#!/usr/bin/perl
# Perl's Net::FTP as a program: net-ftp.pl HOST PORT USER PASSWORD CERTIFICATE|"" tree|resume|upload|complete FOLDER
use strict;
use warnings;
use Net::FTP;

my ($host, $port, $user, $password, $certificate, $verb, $folder) = @ARGV;
# Net::FTP means to resume the control connection's TLS session for data and looks it up under another key: host and port.
if ($certificate) {
    require IO::Socket::SSL;
    IO::Socket::SSL::set_defaults(SSL_session_key => "ftp");
}
my $ftp = Net::FTP->new($host, Port => $port, Passive => 1, Timeout => 60,
    $certificate ? (SSL_ca_file => $certificate, SSL_verifycn_name => $host, SSL_session_key => "ftp") : ()) or die "connect: $@";
if ($certificate) {
    $ftp->starttls or die "AUTH TLS: " . $ftp->message;
}
$ftp->login($user, $password) or fail("login");
$ftp->binary;
{ tree => sub { tree("", $folder) }, resume => \&resume, upload => sub { upload($folder, "/subida") },
    complete => \&complete }->{$verb}->();
$ftp->quit;

sub fail { die "$_[0]: " . $ftp->code . " " . $ftp->message }

# A name is a folder when one can go there.
sub tree {
    my ($remote, $local) = @_;
    mkdir $local;
    $ftp->cwd($remote || "/") or fail("cwd $remote");
    for my $name ($ftp->ls) {
        if ($ftp->cwd("$remote/$name")) {
            tree("$remote/$name", "$local/$name");
        } else {
            $ftp->get("$remote/$name", "$local/$name") or fail("get $remote/$name");
        }
    }
}

sub resume {
    $ftp->get("medio.bin", "$folder/medio.bin", -s "$folder/medio.bin") or fail("get");
}

# What the server lacks of a file.
sub complete {
    open(my $file, "<:raw", "$folder/medio.bin") or die "$folder: $!";
    seek($file, $ftp->size("corte/medio.bin"), 0) or die "seek: $!";
    $ftp->append($file, "corte/medio.bin") or fail("append");
}

sub upload {
    my ($local, $remote) = @_;
    $ftp->mkdir($remote) or fail("mkdir $remote");
    opendir(my $dir, $local) or die "$local: $!";
    for my $name (grep { !/^\.\.?$/ } readdir $dir) {
        if (-d "$local/$name") {
            upload("$local/$name", "$remote/$name");
        } else {
            $ftp->put("$local/$name", "$remote/$name") or fail("put $remote/$name");
        }
    }
}
