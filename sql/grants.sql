-- Who may do what with the table, and no more. After schema.sql.
--
-- tempoftp logs in over the Unix socket without a password, as the system user of that name (FTP_DB_HOST=/run/mysqld/mysqld.sock). For a server on
-- another machine give it a password, kept in /etc/tempoftp/ftp_db_pass, and TLS (FTP_DB_TLS=required):
--
--     CREATE USER tempoftp@'192.0.2.%' IDENTIFIED BY '…' REQUIRE SSL;
--     GRANT SELECT, INSERT, UPDATE, DELETE ON pureftpd.users TO tempoftp@'192.0.2.%';
CREATE USER IF NOT EXISTS tempoftp@localhost IDENTIFIED VIA unix_socket;
GRANT SELECT, INSERT, UPDATE, DELETE ON pureftpd.users TO tempoftp@localhost;

-- Pure-FTPd reads. It can't log in before it has a password, the one in pureftpd-mysql.conf:
--
--     ALTER USER pureftpd@localhost IDENTIFIED BY '…';
CREATE USER IF NOT EXISTS pureftpd@localhost IDENTIFIED VIA mysql_native_password USING 'invalid';
GRANT SELECT ON pureftpd.users TO pureftpd@localhost;
