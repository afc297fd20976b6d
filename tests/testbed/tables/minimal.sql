-- The first tempoftp's smallest table.
CREATE DATABASE pureftpd CHARACTER SET utf8mb4;
CREATE TABLE pureftpd.users (
    User VARCHAR(64) PRIMARY KEY,
    Password VARCHAR(64) NOT NULL,
    Uid INT NOT NULL,
    Gid INT NOT NULL,
    Dir VARCHAR(255) NOT NULL,
    Status TINYINT NOT NULL DEFAULT 1
);
