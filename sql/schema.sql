-- The table of FTP accounts that Pure-FTPd reads and tempoftp keeps. For a new server:
--
--     mariadb < schema.sql && mariadb < grants.sql
--
-- A table that is there already may stay as it is: tempoftp fits itself to it, or says which ALTER TABLE it needs. Two changes are worth while:
--
--     ALTER TABLE pureftpd.users ADD COLUMN Expires DATETIME NULL;
--     ALTER TABLE pureftpd.users MODIFY COLUMN Password VARCHAR(255) NOT NULL;
--
-- User compares byte for byte, blanks at the end included: with MariaDB's default `NAME `, `name` and `Name` would be one account.
-- Expires is in UTC; NULL: never. Status: 1 may log in, 0 may not.
CREATE DATABASE IF NOT EXISTS pureftpd CHARACTER SET utf8mb4;

CREATE TABLE IF NOT EXISTS pureftpd.users (
    User VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    Password VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    Uid INT UNSIGNED NOT NULL,
    Gid INT UNSIGNED NOT NULL,
    Dir VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    Status TINYINT NOT NULL DEFAULT 1,
    Expires DATETIME NULL,
    PRIMARY KEY (User),
    CHECK (Uid > 0 AND Gid > 0),
    CHECK (Dir LIKE '/%')
);
