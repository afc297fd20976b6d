-- The table as it was deployed: Pure-FTPd's well-known example.
CREATE DATABASE pureftpd CHARACTER SET utf8mb4;
CREATE TABLE pureftpd.users (
    User VARCHAR(64) NOT NULL,
    Password VARCHAR(255) NOT NULL,
    Uid INT NOT NULL DEFAULT -1,
    Gid INT NOT NULL DEFAULT -1,
    Dir VARCHAR(255) NOT NULL,
    QuotaFiles INT NOT NULL DEFAULT 0,
    QuotaSize INT NOT NULL DEFAULT 0,
    ULBandwidth INT NOT NULL DEFAULT 0,
    DLBandwidth INT NOT NULL DEFAULT 0,
    Ipaddress VARCHAR(15) NOT NULL DEFAULT '*',
    Comment TINYTEXT,
    Status ENUM('0', '1') NOT NULL DEFAULT '1',
    LastModified TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    PRIMARY KEY (User)
);
