CREATE USER tempoftp@localhost IDENTIFIED BY 'tempoftp-password';
CREATE USER tempoftp@127.0.0.1 IDENTIFIED BY 'tempoftp-password';
GRANT SELECT, INSERT, UPDATE, DELETE ON pureftpd.users TO tempoftp@localhost, tempoftp@127.0.0.1;
CREATE USER pureftpd@localhost IDENTIFIED BY 'pureftpd-password';
GRANT SELECT ON pureftpd.users TO pureftpd@localhost;
